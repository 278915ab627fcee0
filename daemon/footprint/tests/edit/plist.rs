use claudectl_footprint::edit::{Refusal, plist};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n";

fn removed(text: &str, value: &str) -> Result<String, Refusal> {
    let at = text.find(value).unwrap();
    let edit = plist::remove(text.as_bytes(), &(at..at + value.len()))?;
    Ok(String::from_utf8(edit.apply(text.as_bytes()).unwrap().to_vec()).unwrap())
}

#[test]
fn only_the_variable_goes_with_its_lines() {
    for end in ["\n", "\r\n"] {
        let lines = |entry: &str| {
            format!(
                "{HEAD}<plist version=\"1.0\">\n<dict>\n\t<key>Label</key>\n\t<string>a</string>\n\t<!-- <key>no</key> -->\n\t<key>EnvironmentVariables</key>\n\t<dict>\n\t\t<key>PATH</key>\n\t\t<string>/bin</string>\n{entry}\t\t<key>Z</key>\n\t\t<string/>\n\t</dict>\n</dict>\n</plist>\n"
            )
            .replace('\n', end)
        };
        let text = lines("\t\t<key>ANTHROPIC_API_KEY</key>\n\t\t<string>secret-value</string>\n");
        assert_eq!(removed(&text, "secret-value").unwrap(), lines(""));
        // The last letters of it are in it as well.
        assert_eq!(removed(&text, "value").unwrap(), lines(""));
    }
}

#[test]
fn on_one_line_nothing_else_goes() {
    let text = "<dict><key>EnvironmentVariables</key><dict><key>A</key> <string>secret</string><key>B</key><string>b</string></dict></dict>";
    let rest = "<dict><key>EnvironmentVariables</key><dict><key>B</key><string>b</string></dict></dict>";
    assert_eq!(removed(text, "secret").unwrap(), rest);
}

#[test]
fn what_is_no_variable_is_not_taken_out() {
    for text in [
        "<dict><key>ProgramArguments</key><array><string>secret</string></array></dict>",
        "<dict><key>EnvironmentVariables</key><array><string>secret</string></array></dict>",
        "<dict><key>EnvironmentVariables</key><dict><key>A</key><dict><key>B</key><string>secret</string></dict></dict></dict>",
        "<dict><key>Other</key><dict><key>A</key><string>secret</string></dict></dict>",
        "<dict><key>EnvironmentVariables</key><dict><key>A</key><integer>secret</integer></dict></dict>",
        "<dict><key>EnvironmentVariables</key><dict><!-- <key>A</key><string>secret</string> --></dict></dict>",
        "<dict><key>EnvironmentVariables</key></array><dict><key>A</key><string>secret</string></dict></dict>",
        "secret",
    ] {
        assert_eq!(removed(text, "secret"), Err(Refusal::NotAVariable), "{text}");
    }
    let deep = format!("{}secret", "<dict><key>a</key>".repeat(100_000));
    assert_eq!(removed(&deep, "secret"), Err(Refusal::NotAVariable));
}

/// `{"EnvironmentVariables": {"ANTHROPIC_API_KEY": value}}` as `plutil -convert binary1` writes it.
fn binary(value: &str) -> Vec<u8> {
    let string = |text: &str| {
        let mut bytes = vec![0x5f, 0x10, u8::try_from(text.len()).unwrap()];
        bytes.extend(text.as_bytes());
        bytes
    };
    let objects = [
        vec![0xd1, 1, 2],
        string("EnvironmentVariables"),
        vec![0xd1, 3, 4],
        string("ANTHROPIC_API_KEY"),
        string(value),
    ];
    let mut list = b"bplist00".to_vec();
    let mut offsets = Vec::new();
    for object in objects {
        offsets.push(u8::try_from(list.len()).unwrap());
        list.extend(object);
    }
    let table = u64::try_from(list.len()).unwrap();
    list.extend(&offsets);
    list.extend([0, 0, 0, 0, 0, 0, 1, 1]);
    for number in [5_u64, 0, table] {
        list.extend(number.to_be_bytes());
    }
    list
}

#[test]
fn strings_of_a_binary_list_end_where_they_end() {
    let list = binary("secret");
    let strings: Vec<_> = plist::strings(&list).into_iter().map(|bytes| list[bytes].to_vec()).collect();
    assert_eq!(
        strings,
        [b"EnvironmentVariables".to_vec(), b"ANTHROPIC_API_KEY".to_vec(), b"secret".to_vec()]
    );
    assert_eq!(plist::remove(&list, &(0..1)), Err(Refusal::BinaryList));
    assert_eq!(plist::strings(b"bplist00"), []);
    for end in 0..list.len() {
        plist::strings(&list[..end]);
    }
}

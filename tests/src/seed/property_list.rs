//! A binary property list, as `plutil -convert binary1` writes it.

/// A job of launchd that gets this as its `ANTHROPIC_API_KEY`.
pub(super) fn binary(value: &str) -> Vec<u8> {
    // Dictionaries of one member: the numbers of its name and of its value.
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
        offsets.extend(u16::try_from(list.len()).expect("a short list").to_be_bytes());
        list.extend(object);
    }
    let table = u64::try_from(list.len()).expect("a length");
    list.extend(&offsets);
    list.extend([0, 0, 0, 0, 0, 0, 2, 1]);
    for number in [5_u64, 0, table] {
        list.extend(number.to_be_bytes());
    }
    list
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = vec![0x5f, 0x10, u8::try_from(text.len()).expect("a short string")];
    bytes.extend(text.as_bytes());
    bytes
}

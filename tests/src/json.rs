//! Reading the JSON that `claudectl --json` prints.

use serde_json::Value;

/// The element of an array whose `field` is `value`.
#[track_caller]
pub fn by<'a>(array: &'a Value, field: &str, value: &str) -> &'a Value {
    let elements = array.as_array().unwrap_or_else(|| panic!("no array: {array}"));
    let found = elements.iter().find(|element| element[field] == value);
    found.unwrap_or_else(|| panic!("nothing with {field} = {value:?} in {array}"))
}

/// The length of an array.
#[track_caller]
pub fn count(array: &Value) -> usize {
    array.as_array().unwrap_or_else(|| panic!("no array: {array}")).len()
}

//! Property lists of Core Foundation as plain data: what IOKit's registry and the power sources answer.

use std::collections::BTreeMap;

/// A value of a property list. What Core Foundation has beyond these (dates, sets) is left out when it is read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Property {
    Flag(bool),
    /// A whole number; IOKit's unsigned 64-bit numbers come as their two's complement.
    Integer(i64),
    Real(f64),
    Text(String),
    Data(Vec<u8>),
    List(Vec<Self>),
    Dictionary(Dictionary),
}

/// Properties by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Dictionary(BTreeMap<String, Property>);

impl FromIterator<(String, Property)> for Dictionary {
    fn from_iter<I: IntoIterator<Item = (String, Property)>>(properties: I) -> Self {
        Self(properties.into_iter().collect())
    }
}

impl Dictionary {
    pub(crate) fn get(&self, key: &str) -> Option<&Property> {
        self.0.get(key)
    }

    /// A whole number.
    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Property::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// A number of either kind.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Property::Integer(value) => Some(*value as f64),
            Property::Real(value) => Some(*value),
            _ => None,
        }
    }

    /// A flag, also where a driver gives it as a number.
    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Property::Flag(value) => Some(*value),
            Property::Integer(value) => Some(*value != 0),
            _ => None,
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Property::Text(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn data(&self, key: &str) -> Option<&[u8]> {
        match self.get(key)? {
            Property::Data(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn dictionary(&self, key: &str) -> Option<&Self> {
        match self.get(key)? {
            Property::Dictionary(value) => Some(value),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_only_what_it_is() {
        let dictionary: Dictionary = [
            ("flag", Property::Flag(true)),
            ("integer", Property::Integer(-1)),
            ("real", Property::Real(2.5)),
            ("text", Property::Text("a".into())),
            ("data", Property::Data(vec![1])),
            ("list", Property::List(vec![])),
            ("dictionary", Property::Dictionary(Dictionary::default())),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
        let keys = [
            "flag",
            "integer",
            "real",
            "text",
            "data",
            "list",
            "dictionary",
            "absent",
        ];
        let present = |has: &dyn Fn(&str) -> bool| -> Vec<&str> {
            keys.iter().copied().filter(|key| has(key)).collect()
        };
        assert_eq!(present(&|key| dictionary.integer(key).is_some()), ["integer"]);
        assert_eq!(
            present(&|key| dictionary.number(key).is_some()),
            ["integer", "real"]
        );
        assert_eq!(
            present(&|key| dictionary.flag(key).is_some()),
            ["flag", "integer"]
        );
        assert_eq!(present(&|key| dictionary.text(key).is_some()), ["text"]);
        assert_eq!(present(&|key| dictionary.data(key).is_some()), ["data"]);
        assert_eq!(
            present(&|key| dictionary.dictionary(key).is_some()),
            ["dictionary"]
        );
        assert_eq!(dictionary.get("list"), Some(&Property::List(Vec::new())));
    }
}

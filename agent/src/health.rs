//! How things are, in words: what a person looks at first.

use std::fmt;

use serde::Serialize;

/// The states that Alloy's API and dashboards know, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Works.
    Healthy,
    /// Nothing is known yet.
    #[default]
    Unknown,
    /// Ended, though nobody asked it to.
    Exited,
    /// Does not work; the message says why.
    Unhealthy,
}

/// A state with its reason and since when it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The state.
    pub state: State,
    /// Why, for a person to act on.
    pub message: String,
    /// Since when.
    #[serde(rename = "updatedTime")]
    pub since: Time,
}

/// Milliseconds since 1970, shown as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Time(pub i64);

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{} ms after 1970", self.0),
        }
    }
}

impl State {
    /// The word of Alloy's metrics and API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unknown => "unknown",
            Self::Exited => "exited",
            Self::Unhealthy => "unhealthy",
        }
    }
}

impl Health {
    /// A state that holds since `since`, in milliseconds since 1970.
    pub fn new(state: State, message: impl Into<String>, since: i64) -> Self {
        Self {
            state,
            message: message.into(),
            since: Time(since),
        }
    }

    /// The worse of two; of equals the first.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if other.state > self.state { other } else { self }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.state.name())?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_health_counts() {
        let good = Health::new(State::Healthy, "started component", 5);
        let bad = Health::new(State::Unhealthy, "no such host", 0);
        assert_eq!(good.clone().worse(bad.clone()), bad);
        assert_eq!(bad.clone().worse(good), bad);
        let json = serde_json::to_value(&bad).unwrap();
        assert_eq!(json["state"], "unhealthy");
        assert_eq!(json["updatedTime"], "1970-01-01T00:00:00.000Z");
    }
}

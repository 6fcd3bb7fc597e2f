//! What supervisord answers: an array of structures in XML-RPC, none within another.

use crate::text;

/// A process as supervisord tells it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Process {
    pub(super) name: String,
    pub(super) group: String,
    pub(super) state: i64,
    pub(super) exit_status: i64,
    /// Seconds since 1970.
    pub(super) start: i64,
}

/// Reads an answer with the head of HTTP; the error says what is wrong with it.
pub(super) fn read(answer: &[u8]) -> Result<Vec<Process>, String> {
    let answer = text::utf8(answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer is not HTTP")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        return Err(format!(
            "answered with {:?}",
            head.lines().next().unwrap_or_default()
        ));
    }
    if body.contains("<fault>") {
        let fault = between(body, "<string>", "</string>").map_or("", |(fault, _)| fault);
        return Err(format!("refused: {fault:?}"));
    }
    if !body.contains("</methodResponse>") {
        return Err("the answer is cut off".to_owned());
    }
    let mut processes = Vec::new();
    let mut rest = body;
    while let Some((members, behind)) = between(rest, "<struct>", "</struct>") {
        processes.push(process(members)?);
        rest = behind;
    }
    Ok(processes)
}

fn process(members: &str) -> Result<Process, String> {
    let mut process = Process::default();
    let mut rest = members;
    while let Some((member, behind)) = between(rest, "<member>", "</member>") {
        rest = behind;
        let name = between(member, "<name>", "</name>").map_or("", |(name, _)| name.trim());
        let value = between(member, "<value>", "</value>").map_or("", |(value, _)| value);
        let number = || {
            let digits = untagged(value).trim();
            digits
                .parse::<i64>()
                .map_err(|_| format!("{name}: {digits:?} is not a number"))
        };
        match name {
            "name" => process.name = unescaped(untagged(value)),
            "group" => process.group = unescaped(untagged(value)),
            "state" => process.state = number()?,
            "exitstatus" => process.exit_status = number()?,
            "start" => process.start = number()?,
            _ => {}
        }
    }
    Ok(process)
}

/// What is between the first `open` and the `close` behind it, and what follows.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
    let (_, rest) = text.split_once(open)?;
    rest.split_once(close)
}

/// A value without the tags of its type; a value without a type is a string.
fn untagged(value: &str) -> &str {
    let start = value
        .find('<')
        .and_then(|_| value.find('>'))
        .map_or(0, |at| at + 1);
    let rest = &value[start..];
    rest.split('<').next().unwrap_or_default()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
pub(super) const SAMPLE: &str = "HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n<?xml version='1.0'?>\n\
    <methodResponse><params><param><value><array><data>\n\
    <value><struct><member><name>name</name><value><string>a</string></value></member>\n\
    <member><name>group</name><value>a&amp;b</value></member>\n\
    <member><name>state</name><value><int>20</int></value></member>\n\
    <member><name>exitstatus</name><value><i4>0</i4></value></member>\n\
    <member><name>start</name><value><int>1700000000</int></value></member></struct></value>\n\
    <value><struct><member><name>name</name><value><string>b</string></value></member>\n\
    <member><name>group</name><value><string>g</string></value></member>\n\
    <member><name>state</name><value><int>100</int></value></member>\n\
    <member><name>exitstatus</name><value><int>2</int></value></member></struct></value>\n\
    </data></array></value></param></params></methodResponse>";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::never_panics;

    #[test]
    fn refusals_and_garbled_answers() {
        for (answer, part) in [
            ("", "not HTTP"),
            ("HTTP/1.0 401 Unauthorized\r\n\r\n", "401"),
            ("HTTP/1.0 200 OK\r\n\r\n<fault><string>NO</string></fault>", "NO"),
            ("HTTP/1.0 200 OK\r\n\r\n<methodResponse>", "cut off"),
            (&*SAMPLE.replace("<int>20</int>", "<int>x</int>"), "state"),
        ] {
            let error = read(answer.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{answer}: {error}");
        }
        never_panics(SAMPLE, read);
    }
}

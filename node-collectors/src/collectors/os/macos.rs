//! macOS: `SystemVersion.plist`, a property list in XML that holds one flat dictionary of texts (plist(5)).

use super::Release;

/// The file, below the root file system.
pub(super) const SYSTEM_VERSION: &str = "System/Library/CoreServices/SystemVersion.plist";

/// Takes the fields from the list; the error says what is wrong.
pub(super) fn parse(content: &str) -> Result<Release, String> {
    let texts = texts(content).ok_or("an element of the property list is not closed")?;
    let text = |wanted: &str| {
        let found = texts.iter().find(|(key, _)| key == wanted);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let release = Release {
        build_id: text("ProductBuildVersion"),
        name: text("ProductName"),
        version: text("ProductVersion"),
        version_id: text("ProductVersion"),
        ..Release::default()
    };
    if release.version.is_empty() {
        return Err("the property list has no ProductVersion".to_owned());
    }
    Ok(release)
}

/// Each `<key>` that is followed by a `<string>`, with it. `None` if a tag, comment or text is not closed.
fn texts(list: &str) -> Option<Vec<(String, String)>> {
    let mut texts = Vec::new();
    let mut key = None;
    let mut rest = list;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
            continue;
        }
        let (tag, after) = rest.split_once('>')?;
        rest = after;
        match tag.trim_end() {
            "key" => {
                let (text, after) = rest.split_once("</key>")?;
                key = Some(unescape(text));
                rest = after;
            }
            "string" => {
                let (text, after) = rest.split_once("</string>")?;
                texts.extend(key.take().map(|key| (key, unescape(text))));
                rest = after;
            }
            // Another type of value: its key must not be taken for that of a later text.
            open if !open.starts_with(['/', '?', '!']) => key = None,
            _ => {}
        }
    }
    Some(texts)
}

/// Replaces the five named entities of XML; property lists of the system have no others.
fn unescape(text: &str) -> String {
    text.trim()
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::Families;

    use super::super::DESCRIPTOR;
    use super::*;
    use crate::macos::inventory;
    use crate::testing::{Host, never_panics};

    const LIST: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
        <plist version=\"1.0\">\n<dict>\n\
        \t<key>BuildID</key>\n\t<string>8CAD58FE-0000-0000-0000-3B2D4A5E6F70</string>\n\
        \t<!-- <key>ProductVersion</key><string>1</string> -->\n\
        \t<key>ProductBuildVersion</key>\n\t<string>25A354</string>\n\
        \t<key>ProductName</key>\n\t<string>macOS</string>\n\
        \t<key>ProductUserVisibleVersion</key>\n\t<string>26.0.1</string>\n\
        \t<key>ProductVersion</key>\n\t<string>26.0.1</string>\n\
        </dict>\n</plist>\n";

    #[test]
    fn release() {
        let host = Host::new(&[(SYSTEM_VERSION, LIST)]);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_os_info{build_id=\"25A354\",id=\"\",id_like=\"\",image_id=\"\",image_version=\"\",name=\"macOS\",pretty_name=\"\",variant=\"\",variant_id=\"\",version=\"26.0.1\",version_codename=\"\",version_id=\"26.0.1\"} 1",
                "node_os_version{id=\"\",id_like=\"\",name=\"macOS\"} 26",
            ]
        );
        host.write("etc/os-release", "NAME=Ubuntu\n");
        assert!(
            host.samples(&DESCRIPTOR)[0].contains("name=\"Ubuntu\""),
            "os-release comes first"
        );
    }

    #[test]
    fn two_digits_of_the_minor_version_are_a_fraction() {
        let host = Host::new(&[(SYSTEM_VERSION, &LIST.replace("26.0.1", "26.10"))]);
        assert_eq!(
            host.samples(&DESCRIPTOR)[1],
            "node_os_version{id=\"\",id_like=\"\",name=\"macOS\"} 26.1"
        );
    }

    #[test]
    fn odd_lists() {
        let pairs =
            texts("<key> a&amp;lt; </key><string>1 &lt; 2</string><key>b</key><true/><string>x</string>");
        assert_eq!(pairs.unwrap(), [("a&lt;".to_owned(), "1 < 2".to_owned())]);
        assert_eq!(texts("<key>a</key><string>"), None);
        assert_eq!(texts("<key"), None);
        assert_eq!(parse("").unwrap_err(), "the property list has no ProductVersion");
        assert!(parse(&LIST[..LIST.len() - 1]).is_ok());
        let host = Host::new(&[(SYSTEM_VERSION, &LIST[..200])]);
        let error = host
            .collector(&DESCRIPTOR, |_| ())
            .unwrap()
            .update(&mut Families::new())
            .unwrap_err();
        assert!(error.to_string().contains("SystemVersion.plist: "), "{error}");
        never_panics(LIST, |bytes| std::str::from_utf8(bytes).map(parse));
    }

    #[test]
    fn as_node_exporter_gives_it() {
        let host = Host::new(&[(SYSTEM_VERSION, LIST)]);
        inventory::check(
            "os",
            host.collector(&DESCRIPTOR, |_| ()).unwrap().as_ref(),
            &[],
            &[],
        );
    }
}

//! Where a redirect leads and what may be sent along.

use http::header::{AUTHORIZATION, COOKIE, LOCATION, PROXY_AUTHORIZATION};
use http::{HeaderMap, Method, StatusCode, Uri};

use crate::origin::Origin;
use crate::{Error, ErrorKind, Redirects};

/// How many redirects in a row are followed.
pub(crate) const AT_MOST: usize = 10;

/// The next URL, when `status` is a redirect that is to be followed. A request with a body is only sent on where its method
/// is kept (307, 308): turned into a `GET`, it would be answered without having been delivered.
pub(crate) fn next(
    status: StatusCode,
    headers: &HeaderMap,
    method: &Method,
    base: &Uri,
    policy: Redirects,
) -> Result<Option<Uri>, Error> {
    let kept = matches!(status.as_u16(), 307 | 308);
    let safe = matches!(*method, Method::GET | Method::HEAD);
    if policy == Redirects::Never || !(kept || safe && matches!(status.as_u16(), 301..=303)) {
        return Ok(None);
    }
    let Some(location) = headers.get(LOCATION) else {
        return Ok(None);
    };
    let refused = |why: &str| Error::new(ErrorKind::Redirect, format!("{status} leads {why}"));
    let location = location
        .to_str()
        .map_err(|_| refused("to a location that is not a URL"))?;
    let next = join(base, location).ok_or_else(|| refused("to a location that is not a URL"))?;
    if policy == Redirects::SameHost && !same_host(base, &next) {
        return Err(refused(&format!(
            "to another host, {}, and is not followed",
            crate::redact(&next)
        )));
    }
    Ok(Some(next))
}

/// Whether `to` may see what was meant for `from`: the same host, and not without TLS if there was TLS.
pub(crate) fn same_host(from: &Uri, to: &Uri) -> bool {
    match (Origin::of(from), Origin::of(to)) {
        (Ok(from), Ok(to)) => from.host == to.host && (to.https || !from.https),
        _ => false,
    }
}

/// Removes what only the first host may see.
pub(crate) fn strip(headers: &mut HeaderMap) {
    for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
        headers.remove(name);
    }
}

/// Resolves a reference against a URL (RFC 3986, section 5.2). The fragment is left out.
fn join(base: &Uri, reference: &str) -> Option<Uri> {
    let reference = reference.trim();
    let reference = reference.split('#').next().unwrap_or_default();
    let scheme = base.scheme_str()?;
    let authority = base.authority()?.as_str();
    let has_scheme = reference
        .split(['/', '?'])
        .next()
        .is_some_and(|first| first.contains(':'));
    let absolute = if has_scheme {
        reference.to_owned()
    } else if reference.starts_with("//") {
        format!("{scheme}:{reference}")
    } else if reference.starts_with('/') {
        format!("{scheme}://{authority}{reference}")
    } else if reference.is_empty() {
        return Some(base.clone());
    } else if reference.starts_with('?') {
        format!("{scheme}://{authority}{}{reference}", base.path())
    } else {
        let (path, query) = match reference.split_once('?') {
            Some((path, query)) => (path, format!("?{query}")),
            None => (reference, String::new()),
        };
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!(
            "{scheme}://{authority}{}{query}",
            without_dots(&format!("{folder}/{path}"))
        )
    };
    absolute.parse().ok()
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
        if last && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, reference: &str, expected: &str) {
        assert_eq!(
            join(&base.parse().unwrap(), reference).unwrap().to_string(),
            expected
        );
    }

    #[test]
    fn references() {
        check("http://h/a/b?x", "http://o:1/c", "http://o:1/c");
        check("http://h/a/b?x", "//o/c", "http://o/c");
        check("http://h/a/b?x", "/c?y#z", "http://h/c?y");
        check("http://h/a/b?x", "c?u=http://v/", "http://h/a/c?u=http://v/");
        check("http://h/a/b?x", "../c", "http://h/c");
        check("http://h/a/b/c", "./../", "http://h/a/");
        check("http://h/a/b?x", "?y", "http://h/a/b?y");
        check("http://h", "c", "http://h/c");
        check("http://h/", "../../c", "http://h/c");
    }

    #[test]
    fn a_body_is_not_lost_on_the_way() {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, "/b".parse().unwrap());
        let base = Uri::from_static("http://h/a");
        let next = |status: u16, method| {
            let status = StatusCode::from_u16(status).unwrap();
            next(status, &headers, &method, &base, Redirects::Any).unwrap()
        };
        assert_eq!(next(302, Method::POST), None);
        assert_eq!(next(308, Method::POST).unwrap(), "http://h/b");
        assert_eq!(next(302, Method::GET).unwrap(), "http://h/b");
        assert_eq!(next(304, Method::GET), None);
    }

    #[test]
    fn who_may_see_credentials() {
        let same = |from: &str, to: &str| same_host(&from.parse().unwrap(), &to.parse().unwrap());
        assert!(same("http://h/", "http://H:81/"));
        assert!(same("http://h/", "https://h/") || cfg!(not(feature = "tls")));
        assert!(!same("https://h/", "http://h/"));
        assert!(!same("http://h/", "http://h.example/"));
    }
}

//! URLs in messages: the password of the user part and the values of the query are left out.

use http::Uri;

const HIDDEN: &str = "xxxxx";

/// `uri` for messages, labels and status pages: the user's password and every value of the query, either of which may be
/// a secret, become `xxxxx`. Names of query parameters are kept, so that the URL is still recognised.
pub fn redact(uri: &Uri) -> String {
    let mut out = String::new();
    if let Some(scheme) = uri.scheme_str() {
        out.push_str(scheme);
        out.push_str("://");
    }
    if let Some(authority) = uri.authority() {
        match authority.as_str().rsplit_once('@') {
            Some((user, host)) => {
                match user.split_once(':') {
                    Some((name, _)) => {
                        out.push_str(name);
                        out.push(':');
                        out.push_str(HIDDEN);
                    }
                    None => out.push_str(HIDDEN),
                }
                out.push('@');
                out.push_str(host);
            }
            None => out.push_str(authority.as_str()),
        }
    }
    out.push_str(uri.path());
    for (i, parameter) in uri.query().into_iter().flat_map(|q| q.split('&')).enumerate() {
        out.push(if i == 0 { '?' } else { '&' });
        match parameter.split_once('=') {
            Some((name, _)) => {
                out.push_str(name);
                out.push('=');
                out.push_str(HIDDEN);
            }
            None => out.push_str(HIDDEN),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[track_caller]
    fn check(uri: &str, expected: &str) {
        assert_eq!(redact(&uri.parse().unwrap()), expected);
    }

    #[test]
    fn secrets_are_left_out() {
        check("http://h:9090/metrics", "http://h:9090/metrics");
        check("http://u:p@h/m", "http://u:xxxxx@h/m");
        check("http://token@[::1]:80/", "http://xxxxx@[::1]:80/");
        check(
            "https://h/m?api_key=1&x&module=a=b",
            "https://h/m?api_key=xxxxx&xxxxx&module=xxxxx",
        );
    }
}

//! A program with a configuration language of its own: three kinds of blocks, declared once.

use river_syntax::{Block, Bytes, Isolated, SourceMap, Variables, decode_body, diag, parse};

#[derive(Block)]
struct Config {
    #[river(block)]
    listen: Listen,
    #[river(block)]
    route: Vec<Route>,
    #[river(block)]
    cache: Cache,
}

#[derive(Block)]
struct Listen {
    address: std::net::SocketAddr,
}

#[derive(Block)]
struct Route {
    #[river(label)]
    name: String,
    path: String,
}

#[derive(Block)]
struct Cache {
    size: Bytes,
}

const TEXT: &str = r#"
listen { address = host + ":8080" }
route "home" { path = "/" }
route "api" { pth = file.path_join("/", "api", "v1") }
cache { size = "64MiB" }
"#;

#[expect(clippy::print_stdout, reason = "this is a program")]
fn main() {
    let mut scope = Variables::new(Isolated);
    scope.set("host", "127.0.0.1");
    let mut sources = SourceMap::new();
    for text in [TEXT, &TEXT.replace("pth", "path")] {
        let (file, mut problems) = parse(&sources.add("server.river", text));
        match decode_body::<Config>(file.body(), &scope) {
            Ok(config) => {
                println!("{}, cache {}", config.listen.address, config.cache.size);
                config
                    .route
                    .iter()
                    .for_each(|route| println!("{}: {}", route.name, route.path));
            }
            Err(more) => problems.extend(more),
        }
        println!("{}", diag::render_all(&problems, &sources));
    }
}

//! A program with a configuration language of its own.

use river_syntax::{Block, Diagnostic, Isolated, SourceMap, Variables, decode_body, diag, parse};

#[derive(Block)]
struct Config {
    /// Whom to greet.
    #[river(block)]
    greet: Vec<Greet>,
}

#[derive(Block)]
struct Greet {
    #[river(label)]
    name: String,
    /// How often.
    #[river(default = 1)]
    times: u8,
    title: Option<String>,
}

const TEXT: &str = r#"
greet "Ada" {
  title = string.format("%s of", title)
}
greet "Bob" {
  times = 1 + 1
}
greet "Eve" {
  tilte = "Dr"
}
"#;

fn load(sources: &mut SourceMap, name: &str, text: &str) -> Result<Config, Vec<Diagnostic>> {
    let (file, problems) = parse(&sources.add(name, text));
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut scope = Variables::new(Isolated);
    scope.set("title", "Countess");
    decode_body(&file.body, &scope)
}

#[expect(clippy::print_stdout, reason = "this is a program")]
fn main() {
    let mut sources = SourceMap::new();
    for text in [TEXT, &TEXT.replace("tilte", "title")] {
        match load(&mut sources, "greetings.river", text) {
            Err(problems) => print!("{}", diag::render_all(&problems, &sources)),
            Ok(config) => config.greet.iter().for_each(|greet| {
                let title = greet.title.as_deref().unwrap_or("dear");
                print!(
                    "{}",
                    format!("Hello {title} {}!\n", greet.name).repeat(greet.times.into())
                );
            }),
        }
    }
}

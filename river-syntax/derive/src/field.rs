//! What a struct says about its fields: names, doc comments and `#[river(…)]`.

use syn::ext::IdentExt as _;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Field, Fields, GenericArgument, LitStr, PathArguments, Type,
};

/// How a field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Attribute,
    Block,
    Label,
    Flatten,
}

/// A field's default.
pub(crate) enum DefaultValue {
    /// `Default::default()`
    Trait,
    /// The expression.
    Expr(Expr),
}

/// One field.
pub(crate) struct Described<'a> {
    pub(crate) ident: &'a syn::Ident,
    pub(crate) ty: &'a Type,
    /// The name in the language.
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) role: Role,
    pub(crate) default: Option<DefaultValue>,
    /// What the reference shows as the default.
    pub(crate) text: Option<LitStr>,
}

/// The named fields of a struct.
pub(crate) fn fields(input: &DeriveInput) -> syn::Result<Vec<Described<'_>>> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "generic structs are not supported",
        ));
    }
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "only structs are supported"));
    };
    match &data.fields {
        Fields::Named(fields) => fields.named.iter().map(describe).collect(),
        Fields::Unit => Ok(Vec::new()),
        Fields::Unnamed(_) => Err(Error::new_spanned(&input.ident, "the fields must have names")),
    }
}

fn describe(field: &Field) -> syn::Result<Described<'_>> {
    let ident = field
        .ident
        .as_ref()
        .ok_or_else(|| Error::new_spanned(field, "the field must have a name"))?;
    let mut described = Described {
        ident,
        ty: &field.ty,
        name: ident.unraw().to_string(),
        docs: docs(&field.attrs),
        role: Role::Attribute,
        default: None,
        text: None,
    };
    for attribute in field
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("river"))
    {
        attribute.parse_nested_meta(|meta| {
            let mut role = |role| {
                if described.role != Role::Attribute {
                    return Err(meta.error("`block`, `label` and `flatten` exclude each other"));
                }
                described.role = role;
                Ok(())
            };
            if meta.path.is_ident("block") {
                role(Role::Block)
            } else if meta.path.is_ident("label") {
                role(Role::Label)
            } else if meta.path.is_ident("flatten") {
                role(Role::Flatten)
            } else if meta.path.is_ident("name") {
                described.name = meta.value()?.parse::<LitStr>()?.value();
                Ok(())
            } else if meta.path.is_ident("text") {
                described.text = Some(meta.value()?.parse()?);
                Ok(())
            } else if meta.path.is_ident("default") {
                described.default = Some(if meta.input.peek(syn::Token![=]) {
                    DefaultValue::Expr(meta.value()?.parse()?)
                } else {
                    DefaultValue::Trait
                });
                Ok(())
            } else {
                Err(meta.error("expected `block`, `label`, `flatten`, `name`, `default` or `text`"))
            }
        })?;
    }
    check(field, &described)?;
    Ok(described)
}

fn check(field: &Field, described: &Described<'_>) -> syn::Result<()> {
    let refuse = |message: &str| Err(Error::new_spanned(field, message));
    match described.role {
        Role::Label | Role::Flatten if described.default.is_some() => {
            refuse("a label or flattened struct has no default")
        }
        Role::Block if described.default.is_some() && inside(described.ty, "Vec").is_some() => {
            refuse("repeated blocks have no default")
        }
        _ if described.text.is_some() && described.role != Role::Attribute => {
            refuse("`text` is for attributes")
        }
        _ => Ok(()),
    }
}

/// The type inside `wrapper<…>`, judged by the last name of the path.
pub(crate) fn inside<'a>(ty: &'a Type, wrapper: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if last.ident != wrapper {
        return None;
    }
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The doc comment as text, a line break between its lines.
pub(crate) fn docs(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
    {
        if let syn::Meta::NameValue(pair) = &attribute.meta
            && let Expr::Lit(literal) = &pair.value
            && let syn::Lit::Str(text) = &literal.lit
        {
            let text = text.value();
            lines.extend(
                text.split('\n')
                    .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()),
            );
        }
    }
    lines.join("\n").trim().to_owned()
}

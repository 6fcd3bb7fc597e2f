//! `#[derive(Block)]`

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Path};

use crate::field::{DefaultValue, Described, Role, docs, fields, inside};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = fields(input)?;
    let validate = validate(input)?;
    let ident = &input.ident;
    let docs = docs(&input.attrs);
    let label = label(input, &fields)?;
    let shapes: Vec<TokenStream> = fields
        .iter()
        .filter(|field| field.role != Role::Label)
        .map(shape)
        .collect();
    let names: Vec<&syn::Ident> = fields.iter().map(|field| field.ident).collect();
    let reads: Vec<TokenStream> = fields.iter().map(read).collect();
    let validated = validate.map(|path| quote!(reader.validated(#path(&block))?;));
    Ok(quote! {
        #[automatically_derived]
        impl ::river_syntax::Block for #ident {
            fn shape() -> &'static ::river_syntax::BlockShape {
                static SHAPE: ::river_syntax::BlockShape = ::river_syntax::BlockShape {
                    docs: #docs,
                    label: #label,
                    shapes: &[#(#shapes),*],
                    rest: ::core::option::Option::None,
                };
                &SHAPE
            }

            fn read(reader: &mut ::river_syntax::Reader<'_>) -> ::core::option::Option<Self> {
                #(let #names = #reads;)*
                let block = Self { #(#names: #names?),* };
                #validated
                ::core::option::Option::Some(block)
            }
        }
    })
}

fn validate(input: &DeriveInput) -> syn::Result<Option<Path>> {
    let mut found = None;
    for attribute in input
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("river"))
    {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("validate") {
                found = Some(meta.value()?.parse()?);
                Ok(())
            } else {
                Err(meta.error("expected `validate`"))
            }
        })?;
    }
    Ok(found)
}

fn label(input: &DeriveInput, fields: &[Described<'_>]) -> syn::Result<TokenStream> {
    let mut labels = fields.iter().filter(|field| field.role == Role::Label);
    let label = labels.next();
    if labels.next().is_some() {
        return Err(Error::new_spanned(&input.ident, "a block has one label at most"));
    }
    Ok(match label {
        None => quote!(::river_syntax::LabelShape::None),
        Some(field) if inside(field.ty, "Option").is_some() => quote!(::river_syntax::LabelShape::Optional),
        Some(_) => quote!(::river_syntax::LabelShape::Required),
    })
}

/// The expression of a default, of the field's type.
fn default(field: &Described<'_>) -> Option<TokenStream> {
    Some(match field.default.as_ref()? {
        DefaultValue::Trait => quote!(::core::default::Default::default()),
        DefaultValue::Expr(expr) => quote!(#expr),
    })
}

fn shape(field: &Described<'_>) -> TokenStream {
    let Described { name, docs, ty, .. } = field;
    let optional = inside(ty, "Option").is_some();
    let repeated = inside(ty, "Vec");
    let (kind, required) = match field.role {
        Role::Flatten => {
            return quote! {
                ::river_syntax::Shape {
                    name: "",
                    docs: #docs,
                    required: false,
                    default: ::core::option::Option::None,
                    kind: ::river_syntax::ShapeKind::Flatten(<#ty as ::river_syntax::Block>::shape),
                }
            };
        }
        Role::Block => {
            let inner = inside(ty, "Option").or(repeated).unwrap_or(ty);
            let repeated = repeated.is_some();
            let kind = quote! {
                ::river_syntax::ShapeKind::Block {
                    shape: <#inner as ::river_syntax::Block>::shape,
                    repeated: #repeated,
                }
            };
            (kind, !optional && !repeated && field.default.is_none())
        }
        Role::Attribute | Role::Label => {
            let kind = quote!(::river_syntax::ShapeKind::Attribute(<#ty as ::river_syntax::FromValue>::TYPE));
            (kind, !optional && field.default.is_none())
        }
    };
    let text = match (&field.text, default(field)) {
        (Some(text), _) => quote!(::core::option::Option::Some(|| ::std::string::String::from(#text))),
        (None, Some(default)) if field.role == Role::Attribute => quote! {
            ::core::option::Option::Some(|| {
                let default: #ty = #default;
                ::std::string::ToString::to_string(&::river_syntax::ToValue::to_value(&default))
            })
        },
        _ => quote!(::core::option::Option::None),
    };
    quote! {
        ::river_syntax::Shape {
            name: #name,
            docs: #docs,
            required: #required,
            default: #text,
            kind: #kind,
        }
    }
}

/// The expression that reads a field: an `Option` of the field's type.
fn read(field: &Described<'_>) -> TokenStream {
    let Described { name, ty, .. } = field;
    let default = default(field);
    let option = inside(ty, "Option");
    match field.role {
        Role::Flatten => quote!(<#ty as ::river_syntax::Block>::read(reader)),
        Role::Label if option.is_some() => quote!(reader.optional_label()),
        Role::Label => quote!(reader.label()),
        Role::Attribute => match (default, option) {
            (Some(default), _) => quote!(reader.with_default::<#ty>(#name, || #default)),
            (None, Some(inner)) => quote!(reader.optional::<#inner>(#name)),
            (None, None) => quote!(reader.required::<#ty>(#name)),
        },
        Role::Block => match (default, option, inside(ty, "Vec")) {
            (Some(default), _, _) => quote!(reader.block_with_default::<#ty>(#name, || #default)),
            (None, Some(inner), _) => quote!(reader.optional_block::<#inner>(#name)),
            (None, None, Some(inner)) => quote!(reader.blocks::<#inner>(#name)),
            (None, None, None) => quote!(reader.block::<#ty>(#name)),
        },
    }
}

//! Enums whose variants hold nothing: strings of a fixed set.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Error, Fields, LitStr, Variant};

/// `#[derive(FromValue)]`
pub(crate) fn expand_from_value(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let (variants, names) = variants(input)?;
    Ok(quote! {
        #[automatically_derived]
        impl ::river_syntax::FromValue for #ident {
            const TYPE: ::river_syntax::Type = ::river_syntax::Type::Enum(&[#(#names),*]);

            fn from_value(
                value: &::river_syntax::Value,
            ) -> ::core::result::Result<Self, ::river_syntax::Mismatch> {
                let text = <::std::string::String as ::river_syntax::FromValue>::from_value(value)?;
                match text.as_str() {
                    #(#names => ::core::result::Result::Ok(Self::#variants),)*
                    other => ::core::result::Result::Err(::river_syntax::Mismatch::not_one_of(other, &[#(#names),*])),
                }
            }
        }
    })
}

/// `#[derive(ToValue)]` on an enum.
pub(crate) fn expand_to_value(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let (variants, names) = variants(input)?;
    Ok(quote! {
        #[automatically_derived]
        impl ::river_syntax::ToValue for #ident {
            const TYPE: ::river_syntax::Type = ::river_syntax::Type::Enum(&[#(#names),*]);

            fn to_value(&self) -> ::river_syntax::Value {
                ::river_syntax::Value::from(match self {
                    #(Self::#variants => #names,)*
                })
            }
        }
    })
}

/// The variants and their names in the language.
fn variants(input: &DeriveInput) -> syn::Result<(Vec<&syn::Ident>, Vec<String>)> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "only enums are supported"));
    };
    if data.variants.is_empty() {
        return Err(Error::new_spanned(&input.ident, "the enum has no variants"));
    }
    let idents = data.variants.iter().map(|variant| &variant.ident).collect();
    let names: Vec<String> = data.variants.iter().map(name).collect::<syn::Result<_>>()?;
    if let Some((at, _)) = names
        .iter()
        .enumerate()
        .find(|&(at, name)| names[..at].contains(name))
    {
        return Err(Error::new_spanned(
            &data.variants[at],
            "another variant has this name",
        ));
    }
    Ok((idents, names))
}

fn name(variant: &Variant) -> syn::Result<String> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(Error::new_spanned(variant, "the variant may not hold anything"));
    }
    let mut name = snake_case(&variant.ident.unraw().to_string());
    for attribute in variant
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("river"))
    {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                name = meta.value()?.parse::<LitStr>()?.value();
                Ok(())
            } else {
                Err(meta.error("expected `name`"))
            }
        })?;
    }
    Ok(name)
}

/// `LabelDrop` as `label_drop`.
fn snake_case(ident: &str) -> String {
    let mut out = String::new();
    for c in ident.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

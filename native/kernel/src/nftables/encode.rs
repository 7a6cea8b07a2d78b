//! Expressions to `NFTA_EXPR_*` attributes, in the attribute order of `nft`, so that the bytes can
//! be compared with what it sends.

use super::codes::{CtDirection, CtKey, HashType, NatFamily, NatType, NumgenType, verdict};
use super::expression::{Expression, RejectType, VerdictCode};
use super::register::Register;
use crate::netlink::Attributes;

const LIST_ELEMENT: u16 = 1;
const EXPRESSION_NAME: u16 = 1;
const EXPRESSION_BODY: u16 = 2;
/// `NFTA_DATA_VALUE`.
const DATA_VALUE: u16 = 1;
/// `NFTA_DATA_VERDICT`.
const DATA_VERDICT: u16 = 2;

/// An expression that can be read but not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expression {0:?} cannot be written")]
pub struct Unwritable(pub String);

/// Appends the expressions of one rule as the elements of `NFTA_RULE_EXPRESSIONS`.
///
/// # Errors
/// [`Unwritable`] for an expression of kind `unknown`.
pub fn put_expressions(
    writer: &mut Attributes,
    expressions: &[Expression],
) -> Result<(), Unwritable> {
    expressions
        .iter()
        .try_for_each(|expression| put_expression(writer, expression))
}

/// Appends a verdict as `NFTA_DATA_VERDICT`.
pub fn put_verdict(writer: &mut Attributes, code: VerdictCode, chain: Option<&str>) {
    let number = match code {
        VerdictCode::Accept => verdict::ACCEPT,
        VerdictCode::Drop => verdict::DROP,
        VerdictCode::Return => verdict::RETURN,
        VerdictCode::Goto => verdict::GOTO,
        VerdictCode::Jump => verdict::JUMP,
    };
    writer.nest(DATA_VERDICT, |writer| {
        writer.put_u32_be(1, number.cast_unsigned());
        if let Some(chain) = chain {
            writer.put_text(2, chain);
        }
    });
}

/// Appends bytes as an attribute that holds `NFTA_DATA_VALUE`.
pub fn put_value(writer: &mut Attributes, kind: u16, bytes: &[u8]) {
    writer.nest(kind, |writer| {
        writer.put(DATA_VALUE, bytes);
    });
}

fn put_register(writer: &mut Attributes, kind: u16, register: Register) {
    writer.put_u32_be(kind, register.wire());
}

fn put_named(writer: &mut Attributes, name: &str, body: impl FnOnce(&mut Attributes)) {
    writer.nest(LIST_ELEMENT, |writer| {
        writer.put_text(EXPRESSION_NAME, name);
        writer.nest(EXPRESSION_BODY, body);
    });
}

fn put_expression(writer: &mut Attributes, expression: &Expression) -> Result<(), Unwritable> {
    match expression {
        Expression::Unknown { name } => return Err(Unwritable(name.clone())),
        Expression::Meta { .. }
        | Expression::Payload { .. }
        | Expression::Ct { .. }
        | Expression::Numgen { .. }
        | Expression::Hash { .. }
        | Expression::Immediate { .. } => put_load(writer, expression),
        Expression::Cmp { .. } | Expression::Bitwise { .. } | Expression::Lookup { .. } => {
            put_match(writer, expression);
        }
        _ => put_action(writer, expression),
    }
    Ok(())
}

fn put_load(writer: &mut Attributes, expression: &Expression) {
    match expression {
        Expression::Meta { key, dreg } => put_named(writer, "meta", |writer| {
            writer.put_u32_be(2, key.code());
            put_register(writer, 1, *dreg);
        }),
        Expression::Payload {
            base,
            offset,
            length,
            dreg,
        } => {
            put_named(writer, "payload", |writer| {
                put_register(writer, 1, *dreg);
                writer.put_u32_be(2, base.code());
                writer.put_u32_be(3, *offset);
                writer.put_u32_be(4, *length);
            });
        }
        Expression::Ct {
            key,
            direction,
            dreg,
        } => put_ct(writer, *key, *direction, *dreg),
        Expression::Numgen {
            r#type,
            modulus,
            offset,
            dreg,
        } => {
            put_numgen(writer, *r#type, [*modulus, offset.unwrap_or(0)], *dreg);
        }
        Expression::Hash {
            r#type,
            sreg,
            length,
            modulus,
            seed,
            offset,
            dreg,
        } => {
            let numbers = [*length, *modulus, *seed, offset.unwrap_or(0)];
            put_hash(writer, *r#type, numbers, [*sreg, *dreg]);
        }
        Expression::Immediate { dreg, bytes } => put_named(writer, "immediate", |writer| {
            put_register(writer, 1, *dreg);
            put_value(writer, 2, &bytes.0);
        }),
        _ => {}
    }
}

fn put_ct(writer: &mut Attributes, key: CtKey, direction: Option<CtDirection>, dreg: Register) {
    put_named(writer, "ct", |writer| {
        writer.put_u32_be(2, key.code());
        put_register(writer, 1, dreg);
        if let Some(direction) = direction {
            writer.put_u8(3, direction as u8);
        }
    });
}

fn put_numgen(
    writer: &mut Attributes,
    r#type: NumgenType,
    [modulus, offset]: [u32; 2],
    dreg: Register,
) {
    put_named(writer, "numgen", |writer| {
        put_register(writer, 1, dreg);
        writer.put_u32_be(2, modulus);
        writer.put_u32_be(3, r#type.code());
        writer.put_u32_be(4, offset);
    });
}

fn put_hash(
    writer: &mut Attributes,
    r#type: HashType,
    [length, modulus, seed, offset]: [u32; 4],
    [sreg, dreg]: [Register; 2],
) {
    put_named(writer, "hash", |writer| {
        put_register(writer, 1, sreg);
        put_register(writer, 2, dreg);
        writer.put_u32_be(3, length);
        writer.put_u32_be(4, modulus);
        writer.put_u32_be(5, seed);
        if offset != 0 {
            writer.put_u32_be(6, offset);
        }
        writer.put_u32_be(7, r#type.code());
    });
}

fn put_match(writer: &mut Attributes, expression: &Expression) {
    match expression {
        Expression::Cmp { op, sreg, bytes } => put_named(writer, "cmp", |writer| {
            put_register(writer, 1, *sreg);
            writer.put_u32_be(2, op.code());
            put_value(writer, 3, &bytes.0);
        }),
        Expression::Bitwise {
            sreg,
            dreg,
            mask,
            xor,
        } => put_named(writer, "bitwise", |writer| {
            put_register(writer, 1, *sreg);
            put_register(writer, 2, *dreg);
            writer.put_u32_be(3, u32::try_from(mask.0.len()).unwrap_or(u32::MAX));
            writer.put_u32_be(6, 0);
            put_value(writer, 4, &mask.0);
            put_value(writer, 5, &xor.0);
        }),
        Expression::Lookup {
            set,
            sreg,
            dreg,
            is_inverted,
            is_verdict,
        } => {
            put_named(writer, "lookup", |writer| {
                put_register(writer, 2, *sreg);
                if *is_verdict {
                    writer.put_u32_be(3, 0);
                } else if let Some(dreg) = dreg {
                    put_register(writer, 3, *dreg);
                }
                writer.put_text(1, set);
                if *is_inverted {
                    writer.put_u32_be(5, 1);
                }
            });
        }
        _ => {}
    }
}

fn put_action(writer: &mut Attributes, expression: &Expression) {
    match expression {
        Expression::Verdict { code, chain } => put_named(writer, "immediate", |writer| {
            writer.put_u32_be(1, 0);
            writer.nest(2, |writer| put_verdict(writer, *code, chain.as_deref()));
        }),
        Expression::Nat {
            r#type,
            family,
            address_register,
            port_register,
        } => {
            put_nat(
                writer,
                *r#type,
                *family,
                (*address_register, *port_register),
            );
        }
        Expression::Masquerade {} => put_named(writer, "masq", |_| {}),
        Expression::Reject { r#type, code } => put_named(writer, "reject", |writer| {
            writer.put_u32_be(
                1,
                match r#type {
                    RejectType::Icmp | RejectType::Icmpv6 => 0,
                    RejectType::TcpReset => 1,
                    RejectType::Icmpx => 2,
                },
            );
            // nft sends a code with a reset too; the kernel ignores it there.
            if let Some(code) = code.or((*r#type == RejectType::TcpReset).then_some(0)) {
                writer.put_u8(2, code);
            }
        }),
        Expression::Counter {} => put_named(writer, "counter", |_| {}),
        _ => {}
    }
}

fn put_nat(
    writer: &mut Attributes,
    r#type: NatType,
    family: NatFamily,
    (address, port): (Register, Option<Register>),
) {
    put_named(writer, "nat", |writer| {
        writer.put_u32_be(1, r#type.code());
        writer.put_u32_be(2, family.code());
        put_register(writer, 3, address);
        if let Some(port) = port {
            put_register(writer, 5, port);
        }
    });
}

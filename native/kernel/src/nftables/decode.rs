//! `NFTA_EXPR_*` attributes of a dump to expressions.
//!
//! The kernel adds what it filled in itself (a second address register of `nat`, flags that follow
//! from the registers, a zero offset, counter values). Those are dropped when they say nothing new;
//! when they do say something that [`Expression`] cannot, the expression decodes as `unknown`.

use super::body::Body;
use super::bytes::HexBytes;
use super::codes::{
    CompareOperator, CtDirection, CtKey, HashType, MetaKey, NatFamily, NatType, NumgenType,
    PayloadBase, verdict,
};
use super::expression::{Expression, RejectType, VerdictCode};
use super::register::Register;
use crate::netlink::Attribute;

/// `NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED`: follow from the registers given.
const NAT_IMPLIED_FLAGS: u32 = 1 | 2;
/// `NFPROTO_IPV6`, what `meta nfproto` is compared with before an `ICMPv6` reject.
const NFPROTO_IPV6: &[u8] = &[10];

/// The expressions of one rule, from the content of `NFTA_RULE_EXPRESSIONS`.
#[must_use]
pub fn expressions(list: Body<'_>) -> Vec<Expression> {
    let mut decoded: Vec<Expression> = list
        .attributes()
        .map(|element| expression(&element))
        .collect();
    let mut nfproto = None;
    let mut is_ipv6 = false;
    for step in &mut decoded {
        match step {
            Expression::Meta { key, dreg } => {
                nfproto = (*key == MetaKey::NfProto).then_some(*dreg);
            }
            Expression::Cmp {
                op: CompareOperator::Equal,
                sreg,
                bytes,
            } if nfproto == Some(*sreg) => {
                is_ipv6 = bytes.0 == NFPROTO_IPV6;
                nfproto = None;
            }
            Expression::Reject { r#type, .. } if is_ipv6 && *r#type == RejectType::Icmp => {
                *r#type = RejectType::Icmpv6;
            }
            _ => {}
        }
    }
    decoded
}

/// The bytes of a nested `NFTA_DATA_VALUE`.
#[must_use]
pub fn value(attribute: &Attribute<'_>) -> Option<Vec<u8>> {
    Body::of(attribute)
        .find(1)
        .map(|value| value.payload.to_vec())
}

/// A nested `NFTA_DATA_VERDICT`: its code and its chain.
#[must_use]
pub fn verdict(attribute: &Attribute<'_>) -> Option<(VerdictCode, Option<String>)> {
    let content = Body::of(&Body::of(attribute).find(2)?);
    let code = match content.u32(1)?.cast_signed() {
        verdict::DROP => VerdictCode::Drop,
        verdict::ACCEPT => VerdictCode::Accept,
        verdict::JUMP => VerdictCode::Jump,
        verdict::GOTO => VerdictCode::Goto,
        verdict::RETURN => VerdictCode::Return,
        _ => return None,
    };
    Some((code, content.text(2)))
}

fn expression(element: &Attribute<'_>) -> Expression {
    let content = Body::of(element);
    let name = content.text(1).unwrap_or_default();
    let body = content.find(2).map_or(Body::EMPTY, |body| Body::of(&body));
    known(&name, &body).unwrap_or(Expression::Unknown { name })
}

fn known(name: &str, body: &Body<'_>) -> Option<Expression> {
    match name {
        "meta" => Some(Expression::Meta {
            key: MetaKey::of(body.u32(2)?)?,
            dreg: register(body, 1)?,
        }),
        "payload" => Some(Expression::Payload {
            base: PayloadBase::of(body.u32(2)?)?,
            offset: body.u32(3)?,
            length: body.u32(4)?,
            dreg: register(body, 1)?,
        }),
        "cmp" => Some(Expression::Cmp {
            op: CompareOperator::of(body.u32(2)?)?,
            sreg: register(body, 1)?,
            bytes: bytes(body, 3)?,
        }),
        "bitwise" => bitwise(body),
        "lookup" => lookup(body),
        "immediate" => immediate(body),
        "numgen" => Some(Expression::Numgen {
            r#type: NumgenType::of(body.u32(3)?)?,
            modulus: body.u32(2)?,
            offset: offset(body, 4),
            dreg: register(body, 1)?,
        }),
        "hash" => hash(body),
        "nat" => nat(body),
        "masq" => body.is_empty().then_some(Expression::Masquerade {}),
        "reject" => reject(body),
        "ct" => ct(body),
        "counter" => Some(Expression::Counter {}),
        _ => None,
    }
}

fn bitwise(body: &Body<'_>) -> Option<Expression> {
    if body.u32(6).unwrap_or(0) != 0 {
        return None;
    }
    Some(Expression::Bitwise {
        sreg: register(body, 1)?,
        dreg: register(body, 2)?,
        mask: bytes(body, 4)?,
        xor: bytes(body, 5)?,
    })
}

fn lookup(body: &Body<'_>) -> Option<Expression> {
    let target = body.u32(3);
    let is_verdict = target == Some(0);
    let dreg = match target {
        None | Some(0) => None,
        Some(number) => Some(Register::from_wire(number)?),
    };
    let flags = body.u32(5).unwrap_or(0);
    (flags <= 1).then_some(())?;
    Some(Expression::Lookup {
        set: body.text(1)?,
        sreg: register(body, 2)?,
        dreg,
        is_inverted: flags == 1,
        is_verdict,
    })
}

fn immediate(body: &Body<'_>) -> Option<Expression> {
    if body.u32(1)? == 0 {
        let (code, chain) = verdict(&body.find(2)?)?;
        return Some(Expression::Verdict { code, chain });
    }
    Some(Expression::Immediate {
        dreg: register(body, 1)?,
        bytes: bytes(body, 2)?,
    })
}

fn hash(body: &Body<'_>) -> Option<Expression> {
    Some(Expression::Hash {
        r#type: HashType::of(body.u32(7).unwrap_or(0))?,
        sreg: register(body, 1)?,
        length: body.u32(3)?,
        modulus: body.u32(4)?,
        seed: body.u32(5)?,
        offset: offset(body, 6),
        dreg: register(body, 2)?,
    })
}

fn nat(body: &Body<'_>) -> Option<Expression> {
    let address = register(body, 3)?;
    let port_register = match body.u32(5) {
        None => None,
        Some(number) => Some(Register::from_wire(number)?),
    };
    let is_range = body.u32(4).is_some_and(|last| Some(last) != body.u32(3))
        || body.u32(6).is_some_and(|last| Some(last) != body.u32(5));
    let has_options = body
        .u32(7)
        .is_some_and(|flags| flags & !NAT_IMPLIED_FLAGS != 0);
    if is_range || has_options {
        return None;
    }
    Some(Expression::Nat {
        r#type: NatType::of(body.u32(1)?)?,
        family: NatFamily::of(body.u32(2)?)?,
        address_register: address,
        port_register,
    })
}

fn reject(body: &Body<'_>) -> Option<Expression> {
    let code = body.find(2).and_then(|code| code.payload.first().copied());
    match body.u32(1)? {
        0 => Some(Expression::Reject {
            r#type: RejectType::Icmp,
            code,
        }),
        1 => Some(Expression::Reject {
            r#type: RejectType::TcpReset,
            code: None,
        }),
        2 => Some(Expression::Reject {
            r#type: RejectType::Icmpx,
            code,
        }),
        _ => None,
    }
}

fn ct(body: &Body<'_>) -> Option<Expression> {
    let direction = match body.find(3) {
        None => None,
        Some(number) => Some(CtDirection::of(u32::from(*number.payload.first()?))?),
    };
    Some(Expression::Ct {
        key: CtKey::of(body.u32(2)?)?,
        direction,
        dreg: register(body, 1)?,
    })
}

fn register(body: &Body<'_>, kind: u16) -> Option<Register> {
    Register::from_wire(body.u32(kind)?)
}

fn bytes(body: &Body<'_>, kind: u16) -> Option<HexBytes> {
    value(&body.find(kind)?).map(HexBytes)
}

fn offset(body: &Body<'_>, kind: u16) -> Option<u32> {
    body.u32(kind).filter(|offset| *offset != 0)
}

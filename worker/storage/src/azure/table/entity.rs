//! Entities as the Table service writes them: JSON whose types stand beside the values (OData 3,
//! minimal metadata).

use serde_json::{Map, Value};

use super::super::failure::Failure;
use crate::port::{ETag, Entity, Properties};

const TYPE: &str = "@odata.type";

/// The body of a write. 64-bit integers are texts: a double, which a JSON number is to many, would
/// lose their last digits. Doubles are marked as well, since `2.0` may be written as `2`.
pub(super) fn encode(partition: &str, row: &str, properties: &Properties) -> Value {
    let mut entity = Map::new();
    entity.insert("PartitionKey".to_owned(), partition.into());
    entity.insert("RowKey".to_owned(), row.into());
    for (name, value) in properties {
        let (value, kind) = match value {
            Value::Number(number) if number.is_f64() => (value.clone(), Some("Edm.Double")),
            Value::Number(number) => (Value::String(number.to_string()), Some("Edm.Int64")),
            value => (value.clone(), None),
        };
        if let Some(kind) = kind {
            entity.insert(format!("{name}{TYPE}"), kind.into());
        }
        entity.insert(name.clone(), value);
    }
    Value::Object(entity)
}

/// An entity as it was read. `etag` is that of the answer's header, where there is one.
pub(super) fn decode(value: Value, etag: Option<&str>) -> Result<Entity, Failure> {
    let Value::Object(mut entity) = value else {
        return Err(Failure::misread("an entity is no object"));
    };
    let etag = match etag {
        Some(etag) => etag.to_owned(),
        None => text(&mut entity, "odata.etag")?,
    };
    let row = text(&mut entity, "RowKey")?;
    let mut properties = Properties::new();
    for (name, value) in &entity {
        if name.starts_with("odata.") || name.ends_with(TYPE) {
            continue;
        }
        if matches!(name.as_str(), "PartitionKey" | "RowKey" | "Timestamp") || value.is_null() {
            continue;
        }
        let kind = entity.get(&format!("{name}{TYPE}")).and_then(Value::as_str);
        properties.insert(name.clone(), typed(value, kind, name)?);
    }
    Ok(Entity {
        row,
        etag: ETag(etag),
        properties,
    })
}

fn text(entity: &mut Map<String, Value>, name: &str) -> Result<String, Failure> {
    match entity.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(Failure::misread(format!("an entity has no {name}"))),
    }
}

fn typed(value: &Value, kind: Option<&str>, name: &str) -> Result<Value, Failure> {
    let number = match (kind, value) {
        (Some("Edm.Int64"), Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
        // From a text too: that is how infinities come.
        (Some("Edm.Double"), Value::String(text)) => text.parse::<f64>().ok().map(Value::from),
        (Some("Edm.Double"), Value::Number(number)) => number.as_f64().map(Value::from),
        _ => Some(value.clone()),
    };
    let number = number.filter(|value| !value.is_null());
    number.ok_or_else(|| Failure::misread(format!("column {name:.64} is no number")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn columns(value: Value) -> Properties {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn types_stand_beside_the_values() {
        let properties = columns(json!({"i": i64::MAX, "d": 2.0, "b": true, "s": "007"}));
        let expect = json!({
            "PartitionKey": "p", "RowKey": "r",
            "i": "9223372036854775807", "i@odata.type": "Edm.Int64",
            "d": 2.0, "d@odata.type": "Edm.Double", "b": true, "s": "007",
        });
        assert_eq!(encode("p", "r", &properties), expect);
    }

    #[test]
    fn entities_read_back() {
        let check = |value: Value, expect: Value| {
            let mut entity = columns(value);
            entity.insert("RowKey".to_owned(), json!("r"));
            entity.insert("odata.etag".to_owned(), json!("W/\"1\""));
            let entity = decode(Value::Object(entity), None).unwrap();
            assert_eq!(
                (entity.row.as_str(), entity.etag.0.as_str()),
                ("r", "W/\"1\"")
            );
            assert_eq!(entity.properties, columns(expect));
        };
        check(
            json!({"odata.metadata": "x", "PartitionKey": "p", "Timestamp": "t"}),
            json!({}),
        );
        check(
            json!({"i": "-5", "i@odata.type": "Edm.Int64"}),
            json!({"i": -5}),
        );
        check(
            json!({"d": 2, "d@odata.type": "Edm.Double"}),
            json!({"d": 2.0}),
        );
        check(
            json!({"d": "2.5", "d@odata.type": "Edm.Double"}),
            json!({"d": 2.5}),
        );
        check(
            json!({"n": 7, "m": 7.5, "s": "7", "b": false}),
            json!({"n": 7, "m": 7.5, "s": "7", "b": false}),
        );
        check(
            json!({"t": "2026-01-01T00:00:00Z", "t@odata.type": "Edm.DateTime"}),
            json!({"t": "2026-01-01T00:00:00Z"}),
        );
        check(json!({"gone": null}), json!({}));
    }

    #[test]
    fn what_is_no_entity_is_refused() {
        for value in [
            json!([]),
            json!({"RowKey": "r"}),
            json!({"odata.etag": "e"}),
            json!({"RowKey": "r", "odata.etag": "e", "i": "x", "i@odata.type": "Edm.Int64"}),
            json!({"RowKey": "r", "odata.etag": "e", "d": "Infinity", "d@odata.type": "Edm.Double"}),
        ] {
            assert!(decode(value.clone(), None).is_err(), "{value}");
        }
    }

    #[test]
    fn the_header_has_precedence_over_the_body() {
        let entity = decode(json!({"RowKey": "r", "odata.etag": "old"}), Some("new")).unwrap();
        assert_eq!(entity.etag.0, "new");
    }
}

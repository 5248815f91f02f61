#pragma once

#include "capture/certificate.h"
#include "exporters/json_writer.h"
#include "parser/item.h"

namespace smtpscope {

/// Adds an item's members to the object being written: "kind", "side", where its octets lie in the
/// side's stream, and what its kind knows.
void write_item(JsonWriter& json, const Item& item);

/// Adds the members of docs/timeline.schema.json, $defs/certificate, to the object being written.
void write_certificate(JsonWriter& json, const TlsCertificate& certificate);

/// The facts of a message, as a member "facts".
void write_facts(JsonWriter& json, const MessageFacts& facts);

}  // namespace smtpscope

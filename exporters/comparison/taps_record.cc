#include "exporters/comparison/taps_record.h"

#include <limits>
#include <string_view>

#include "exporters/comparison/taps_lines.h"
#include "exporters/json_writer.h"

namespace smtpscope {
namespace {

std::string_view mark_name(TapsLine::Mark mark) {
  switch (mark) {
    case TapsLine::Mark::kSame:
      return "same";
    case TapsLine::Mark::kDiffers:
      return "differs";
    case TapsLine::Mark::kNearClient:
      return "near-client";
    case TapsLine::Mark::kNearServer:
      return "near-server";
    case TapsLine::Mark::kWords:
      return "words";
  }
  return "";
}

void add_cell(JsonWriter& json, std::string_view name, const TapsCell& cell) {
  if (cell.empty()) return;
  json.begin_object(name);
  json.string_if("time", cell.time);
  if (cell.speaker != ' ') json.string("speaker", std::string_view(&cell.speaker, 1));
  json.string("text", cell.text);
  json.number_if("session", cell.session);
  json.number_if("entry", cell.entry);
  json.end_object();
}

void add_numbers(JsonWriter& json, std::string_view name,
                 const std::vector<const SessionRecord*>& sessions) {
  json.begin_array(name);
  for (const SessionRecord* each : sessions) json.element_number(each->id);
  json.end_array();
}

void add_lines(JsonWriter& json, const TapsComparison& comparison, const TapsDialogue& dialogue,
               const TextStyle& style) {
  json.begin_array("lines");
  for (const TapsLine& line :
       taps_lines(comparison, dialogue, style, std::numeric_limits<std::size_t>::max() / 2)) {
    json.begin_object();
    json.string("mark", mark_name(line.mark));
    add_cell(json, "near_client", line.near_client);
    add_cell(json, "near_server", line.near_server);
    json.string_if("between", line.between);
    json.string_if("note", line.note);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string taps_record(const TapsComparison& comparison) {
  ExporterOptions options;
  options.unicode = true;
  const TextStyle style(options);
  JsonWriter json;
  json.begin_object();
  json.string("event", "taps");
  json.string("near_client", comparison.name_near_client);
  json.string("near_server", comparison.name_near_server);
  json.boolean("changed", comparison.trouble.empty() && comparison.changed());
  json.string_if("trouble", comparison.trouble);
  json.begin_array("verdict");
  for (const VerdictLine& each : comparison.verdict) json.element(each.text);
  json.end_array();
  json.begin_array("dialogues");
  for (const TapsDialogue& each : comparison.dialogues) {
    json.begin_object();
    add_numbers(json, "near_client", each.near_client);
    add_numbers(json, "near_server", each.near_server);
    json.number("changes", each.changes.size());
    add_lines(json, comparison, each, style);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.end_line();
  return json.take();
}

}  // namespace smtpscope

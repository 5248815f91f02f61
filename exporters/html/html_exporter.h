#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "exporters/exporter.h"
#include "exporters/html/packed_records.h"
#include "exporters/html/page_records.h"
#include "exporters/spooled_text.h"
#include "exporters/text/text_exporter.h"

namespace smtpscope {

/// One file that shows the run in a browser, without network: the records of the jsonl format and
/// the octets, the page that shows them, and for readers without script the text timeline. Its
/// Content-Security-Policy allows that script and style, by their hashes, and nothing else.
class HtmlExporter : public Exporter {
 public:
  HtmlExporter(const ExporterOptions& options, Output& output);

  void begin_run(const RunInfo& run) override;
  void on_timeline(const TimelineEvent& event) override;
  void on_record(const WireEvent& event) override;
  void end_run() override;
  void finish() override;
  std::optional<Error> fault() const override { return spool_.fault(); }

 private:
  /// Takes the beginning of the text timeline and counts the rest.
  class Plain : public Output {
   public:
    explicit Plain(Spool& spool) : text_(spool) {}
    void write(std::string_view text) override;
    void read_as_html(Output& output) const;

   private:
    SpooledText text_;
    std::size_t taken_ = 0;
    std::uint64_t left_out_ = 0;  // octets
  };

  void write_head();

  Output& output_;
  Spool spool_;
  Plain plain_;
  PackedRecords packed_;
  PageRecords records_;
  TextExporter text_;
};

}  // namespace smtpscope

#include "exporters/html/html_exporter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "page/page_files.h"

namespace smtpscope {
namespace {

/// What readers without script are given; a mail's attachment is to stay small.
constexpr std::size_t kMostPlain = 64 * 1024;
constexpr std::size_t kPlainColumns = 110;

/// A source expression of Content-Security-Policy that names exactly this text (CSP 3, 2.3.1).
std::string hash_source(const PageFile& file) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string octets;
  for (std::size_t i = 0; i + 1 < file.sha256.size(); i += 2) {
    octets += static_cast<char>(digit(file.sha256[i]) << 4 | digit(file.sha256[i + 1]));
  }
  return fmt::format("'sha256-{}'", encode_base64(octets));
}

std::string as_html(std::string_view text) {
  std::string html;
  html.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    if (c == '&') {
      html += "&amp;";
    } else if (c == '<') {
      html += "&lt;";
    } else if (c == '>') {
      html += "&gt;";
    } else {
      html += c;
    }
  }
  return html;
}

ExporterOptions for_plain_text(ExporterOptions options) {
  options.width = kPlainColumns;
  options.unicode = true;
  options.colour = false;
  options.verbose = false;
  return options;
}

}  // namespace

void HtmlExporter::Plain::write(std::string_view text) {
  const std::size_t room = kMostPlain - std::min(kMostPlain, taken_);
  // Whole lines, and none behind one that found no room.
  if (left_out_ > 0 || text.size() > room) {
    const std::size_t line_end = left_out_ > 0 ? std::string_view::npos : text.rfind('\n', room);
    const std::size_t cut = line_end == std::string_view::npos ? 0 : line_end + 1;
    left_out_ += text.size() - std::min(cut, text.size());
    text = text.substr(0, cut);
  }
  text_.add(text);
  taken_ += text.size();
}

void HtmlExporter::Plain::read_as_html(Output& output) const {
  text_.read([&](std::string_view piece) { output.write(as_html(piece)); });
  if (left_out_ > 0) {
    output.write(fmt::format(
        "\n--- {} more octets of this timeline can be read with JavaScript on ---\n", left_out_));
  }
}

HtmlExporter::HtmlExporter(const ExporterOptions& options, Output& output)
    : output_(output),
      plain_(spool_),
      packed_(output),
      records_(options, packed_),
      text_(for_plain_text(options), plain_) {
  write_head();
}

void HtmlExporter::write_head() {
  output_.write(
      fmt::format("<!doctype html>\n"
                  "<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "script-src {}; style-src {}; img-src data:; connect-src 'none'; "
                  "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"referrer\" content=\"no-referrer\">\n"
                  "<title>smtpscope</title>\n"
                  "<style>{}</style></head><body>\n"
                  "<script type=\"application/octet-stream\" id=\"records\">",
                  hash_source(kPageScript), hash_source(kPageStyle), kPageStyle.text));
}

void HtmlExporter::begin_run(const RunInfo& run) {
  records_.begin_run(run);
  text_.begin_run(run);
}

void HtmlExporter::on_timeline(const TimelineEvent& event) {
  records_.on_timeline(event);
  text_.on_timeline(event);
}

void HtmlExporter::on_record(const WireEvent& event) { records_.on_record(event); }

void HtmlExporter::end_run() {
  records_.end_run();
  text_.end_run();
}

void HtmlExporter::finish() {
  packed_.finish();
  output_.write("</script>\n<noscript><pre>\n");
  plain_.read_as_html(output_);
  output_.write(
      fmt::format("</pre></noscript>\n<script>{}</script>\n</body></html>\n", kPageScript.text));
}

}  // namespace smtpscope

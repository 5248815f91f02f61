// Prints what a recorded file holds as the lines of a capture (docs/capture-format.md), nothing
// masked: the octets that the readers made of packets, for tests that compare them.

#include <cstdio>
#include <string>
#include <vector>

#include "capture/event_format.h"
#include "readers/reader_list.h"

using namespace smtpscope;

namespace {

class Printer : public WireSink {
 public:
  void on_wire(const WireEvent& event) override {
    line_.resize(most_event_line(event));
    const char* end = format_event(line_.data(), event);
    std::fwrite(line_.data(), 1, static_cast<std::size_t>(end - line_.data()), stdout);
  }

 private:
  std::vector<char> line_;
};

int complain(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return 2;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return complain("usage: wire_dump FILE");
  const Result<std::unique_ptr<WireSource>> source = open_source(arguments[1], {});
  if (!source) return complain(source.error().message);
  Printer printer;
  while (true) {
    const Result<bool> more = source.value()->next(printer);
    if (!more) return complain(more.error().message);
    if (!more.value()) break;
  }
  source.value()->finish(printer);
  for (const SourceNotice& notice : source.value()->notices()) complain(notice.text);
  return 0;
}

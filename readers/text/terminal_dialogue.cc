#include "readers/text/terminal_dialogue.h"

#include "readers/text/connection_words.h"

namespace smtpscope {

void TerminalDialogue::take(std::string_view line) {
  const LogSession* session = book_.find("");
  const bool message = session != nullptr && session->sending_message();
  if (const auto server = message ? std::nullopt : server_in(line)) {
    if (session == nullptr || line.starts_with("Trying ")) book_.announce("", *server);
  } else if (closed_by_server(line)) {
    book_.close("", Side::kServer, line);
    book_.end("");
  } else {
    bare_.take(line);
  }
}

}  // namespace smtpscope

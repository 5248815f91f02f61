#include "timeline/tcp_words.h"

#include <fmt/format.h>

#include "base/counted.h"
#include "timeline/duration_text.h"

namespace smtpscope {

std::string tcp_words(const TcpReport& report) {
  const TcpFigures& figures = report.figures;
  const std::string_view who = to_string(report.with);
  std::string words;
  if (figures.lost() && figures.unconfirmed > 0) {
    words = fmt::format("the {}'s host does not confirm {}, sent again {}; unheard for {}", who,
                        counted(figures.unconfirmed, "octet"), counted(figures.sent_again, "time"),
                        duration_text(figures.unheard));
  } else if (figures.lost()) {
    words =
        fmt::format("the {}'s host does not answer: {} for room went unanswered; unheard for {}",
                    who, counted(figures.probes, "question"), duration_text(figures.unheard));
  } else if (figures.unconfirmed > 0) {
    words = fmt::format("the {}'s host has not confirmed {} yet", who,
                        counted(figures.unconfirmed, "octet"));
  } else if (!figures.confirmed()) {
    words = fmt::format("the {} does not read: {} wait, its host has no room for more", who,
                        counted(figures.unsent, "octet"));
  } else {
    words = fmt::format("the {}'s host has confirmed all that it was sent", who);
  }
  if (figures.out_of_order > 0) {
    words += fmt::format("; {} of it came before an earlier one",
                         counted(figures.out_of_order, "packet"));
  }
  return words;
}

}  // namespace smtpscope

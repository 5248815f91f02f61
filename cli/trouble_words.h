#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "timeline/causes/cause.h"
#include "timeline/reasons/reason_table.h"

namespace smtpscope {

/// Something that goes wrong with mail, as the verdict may lead with it: a cause, or a reason for
/// which a server refuses.
struct Trouble {
  std::string_view id;
  std::string title;
  std::string where;  // the side to look at, or who can act
  std::string means;
  std::vector<std::string> checks;
  std::vector<std::string> not_it;
};

/// All of them: causes in the order of their catalogue, then reasons in that of their list.
std::vector<Trouble> all_troubles();
/// Those in which each of the words occurs, letters alike.
std::vector<Trouble> troubles_about(const std::vector<std::string>& words);

/// One for a terminal, wrapped to `width` columns (0: not wrapped).
std::string trouble_text(const Trouble& trouble, std::size_t width);
/// One line each.
std::string troubles_as_table(const std::vector<Trouble>& troubles);
/// The page docs/troubles.md.
std::string troubles_as_markdown();

}  // namespace smtpscope

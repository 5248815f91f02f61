#pragma once

#include <string>
#include <string_view>

namespace smtpscope {

/// A line that a program or a server wrote, with '#' over what is a secret by its looks: a SASL
/// response in base64, the password in a URL ("smtp://bob:secret@mx") and behind "password=". What
/// a client has sent before is known otherwise, and overwritten where it is repeated.
std::string without_secrets(std::string_view line);

}  // namespace smtpscope

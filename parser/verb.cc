#include "parser/verb.h"

namespace smtpscope {
namespace {

/// 'a'..'z' of each octet of `word` in upper case, every other octet unchanged.
constexpr std::uint64_t upper_case(std::uint64_t word) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  const std::uint64_t low_bits = word & (kEach * 0x7f);
  // Bit 7 of an octet of each sum is set when the octet is beyond the border; no carry leaves it.
  const std::uint64_t from_a = low_bits + kEach * (0x80 - 'a');
  const std::uint64_t beyond_z = low_bits + kEach * (0x7f - 'z');
  const std::uint64_t ascii = ~word & (kEach * 0x80);
  return word ^ ((ascii & (from_a ^ beyond_z)) >> 2);
}

/// `kOctets` octets as one number, so that a verb is found by one comparison.
template <std::size_t kOctets>
constexpr std::uint64_t pack(const char* text) {
  static_assert(kOctets <= 8);
  std::uint64_t packed = 0;
  for (std::size_t i = 0; i < kOctets; ++i) {
    packed = packed << 8 | static_cast<std::uint8_t>(text[i]);
  }
  return upper_case(packed);
}

template <std::size_t kSize>
constexpr std::uint64_t name(const char (&literal)[kSize]) {
  return pack<kSize - 1>(literal);
}

Verb four_letters(const char* text) {
  switch (pack<4>(text)) {
    case name("HELO"):
      return Verb::kHelo;
    case name("EHLO"):
      return Verb::kEhlo;
    case name("LHLO"):
      return Verb::kLhlo;
    case name("MAIL"):
      return Verb::kMail;
    case name("RCPT"):
      return Verb::kRcpt;
    case name("DATA"):
      return Verb::kData;
    case name("BDAT"):
      return Verb::kBdat;
    case name("BURL"):
      return Verb::kBurl;
    case name("RSET"):
      return Verb::kRset;
    case name("NOOP"):
      return Verb::kNoop;
    case name("QUIT"):
      return Verb::kQuit;
    case name("VRFY"):
      return Verb::kVrfy;
    case name("EXPN"):
      return Verb::kExpn;
    case name("HELP"):
      return Verb::kHelp;
    case name("AUTH"):
      return Verb::kAuth;
    case name("ETRN"):
      return Verb::kEtrn;
    case name("ATRN"):
      return Verb::kAtrn;
    case name("TURN"):
      return Verb::kTurn;
    case name("SEND"):
      return Verb::kSend;
    case name("SOML"):
      return Verb::kSoml;
    case name("SAML"):
      return Verb::kSaml;
    default:
      return Verb::kUnknown;
  }
}

Verb eight_letters(const char* text) {
  switch (pack<8>(text)) {
    case name("STARTTLS"):
      return Verb::kStartTls;
    case name("XFORWARD"):
      return Verb::kXforward;
    default:
      return Verb::kUnknown;
  }
}

}  // namespace

Verb verb_of(std::string_view word) {
  const char* text = word.data();
  switch (word.size()) {
    case 4:
      return four_letters(text);
    case 6:
      return pack<6>(text) == name("X-EXPS") ? Verb::kXexps : Verb::kUnknown;
    case 7:
      switch (pack<7>(text)) {
        case name("XCLIENT"):
          return Verb::kXclient;
        case name("XEXCH50"):
          return Verb::kXexch50;
        default:
          return Verb::kUnknown;
      }
    case 8:
      return eight_letters(text);
    case 12:
      return pack<8>(text) == name("X-LINK2S") && pack<4>(text + 8) == name("TATE")
                 ? Verb::kXlink2State
                 : Verb::kUnknown;
    case 14:
      return pack<8>(text) == name("X-ANONYM") && pack<6>(text + 8) == name("OUSTLS")
                 ? Verb::kXanonymousTls
                 : Verb::kUnknown;
    default:
      return Verb::kUnknown;
  }
}

std::string_view to_string(Verb verb) {
  switch (verb) {
    case Verb::kUnknown:
      return "";
    case Verb::kHelo:
      return "HELO";
    case Verb::kEhlo:
      return "EHLO";
    case Verb::kLhlo:
      return "LHLO";
    case Verb::kMail:
      return "MAIL";
    case Verb::kRcpt:
      return "RCPT";
    case Verb::kData:
      return "DATA";
    case Verb::kBdat:
      return "BDAT";
    case Verb::kBurl:
      return "BURL";
    case Verb::kRset:
      return "RSET";
    case Verb::kNoop:
      return "NOOP";
    case Verb::kQuit:
      return "QUIT";
    case Verb::kVrfy:
      return "VRFY";
    case Verb::kExpn:
      return "EXPN";
    case Verb::kHelp:
      return "HELP";
    case Verb::kAuth:
      return "AUTH";
    case Verb::kStartTls:
      return "STARTTLS";
    case Verb::kEtrn:
      return "ETRN";
    case Verb::kAtrn:
      return "ATRN";
    case Verb::kTurn:
      return "TURN";
    case Verb::kSend:
      return "SEND";
    case Verb::kSoml:
      return "SOML";
    case Verb::kSaml:
      return "SAML";
    case Verb::kXclient:
      return "XCLIENT";
    case Verb::kXforward:
      return "XFORWARD";
    case Verb::kXexch50:
      return "XEXCH50";
    case Verb::kXexps:
      return "X-EXPS";
    case Verb::kXanonymousTls:
      return "X-ANONYMOUSTLS";
    case Verb::kXlink2State:
      return "X-LINK2STATE";
  }
  return "";
}

}  // namespace smtpscope

#include "parser/credentials.h"

#include "parser/item.h"
#include "parser/recent_secrets.h"
#include "tests/catch.h"

using namespace smtpscope;

TEST_CASE("where credentials begin") {
  constexpr auto kNone = std::string_view::npos;
  const std::pair<std::string_view, std::size_t> cases[] = {
      {"AUTH", kNone},
      {"AUTH ", kNone},
      {"AUTH LOGIN", kNone},
      {"AUTH LOGIN ", kNone},
      {"AUTH PLAIN =", kNone},
      {"AUTH PLAIN = ", kNone},
      {"AUTH PLAIN x", 11},
      {"auth plain x y", 11},
      {"  AUTH  PLAIN  x", 15},
      {"AUTH PLAIN ==", 11},
      {"AUTH PLAIN =x", 11},
      {"AUTH dGVzdA==", 5},
      {"AUTH ABCDEFGHIJKLMNOPQRSTU", 5},
      {"AUTH=PLAIN x", 4},
      {"X-EXPS GSSAPI x", 14},
      {"X-EXPS=x", 6},
      {"AUTHX y", kNone},
      {"MAIL AUTH PLAIN x", kNone},
      {"AUTH PLAIN ###", 11},
      {"AUTH #####", 5},
      // Spelled together, and behind what no server takes for part of a word.
      {"AUTHPLAIN x", 10},
      {"authlogin x", 10},
      {"AUTHSCRAM-SHA-256 x", 18},
      {"AUTHPLAIN", kNone},
      {"AUTHORS are x", kNone},
      {"\xef\xbb\xbf"
       "AUTH PLAIN x",
       14},
      {"\x08\x08"
       "AUTH PLAIN x",
       13},
      {"NOOP\rAUTH PLAIN x", 16},
      {std::string_view("\0AUTH PLAIN x", 13), 12},
      {std::string_view("NOOP \0 auth plain x", 19), 18},
      // Of other protocols.
      {"PASS x", 5},
      {"pass  x y", 6},
      {"PASS", kNone},
      {"PASSED all tests", kNone},
      {"LOGIN u p", 6},
      {"LOGIN u", kNone},
      {"a1 LOGIN u p", 9},
      {"a1 AUTHENTICATE PLAIN x", 22},
      {"a1 AUTHENTICATE PLAIN", kNone},
      {"APOP u digest", 5},
      {"AUTHINFO PASS x", 14},
      {"AUTHINFO USER x", kNone},
      {"Authorization: Basic x", 21},
      {"authorization:Basic x", 20},
      {"Proxy-Authorization: Bearer x", 28},
      {"Authorization: x", 15},
      {"Authorization:", kNone},
      {"Cookie: a=x", 8},
      {"USER alice", kNone},
  };
  for (const auto& [line, begin] : cases) {
    CAPTURE(line);
    CHECK(find_credentials(line) == begin);
  }
}

TEST_CASE("the beginning of a line that may become one with credentials") {
  for (const char* yes : {"", " ", "a", "AU", "auth", "AUTH ", "AUTH PLAIN x", "M", "NOOP", "AXX y",
                          "X-EXPS ", "BURL imap", "aVeryLongWordThatIsNoVerb"}) {
    CAPTURE(yes);
    CHECK(may_hold_credentials(yes, 0));
  }
  for (const char* no : {"NOOP AUTH", " MAIL FROM:<a", "rcpt ", "X-ANONYMOUSTLS "}) {
    CAPTURE(no);
    CHECK_FALSE(may_hold_credentials(no, 0));
    CHECK(may_hold_credentials(no, kHasNul));
  }
}

std::string words_covered(std::string_view line) {
  std::vector<TextRange> found;
  find_credential_words(line, found);
  std::string text(line);
  for (const TextRange& part : found) {
    for (std::size_t i = part.begin; i < part.end; ++i) text[i] = '#';
  }
  return text;
}

TEST_CASE("words that can only be credentials") {
  CHECK(words_covered("BURL imap://h@x/o;uid=25;urlauth=submit+h:internal:91354a473 LAST") ==
        "BURL imap://h@x/o;uid=25;urlauth=submit+h:internal:######### LAST");
  CHECK(words_covered("burl imap://h@x/o;uid=25") == "burl imap://h@x/o;uid=25");
  // PLAIN, XOAUTH2, CRAM-MD5, SCRAM, NTLM.
  CHECK(words_covered("ATUH PLAIN AGFsaWNlAHNlY3JldA== x") == "ATUH PLAIN #################### x");
  CHECK(words_covered("'dXNlcj1hAWF1dGg9QmVhcmVyIHQBAQ=='") ==
        "'################################'");
  CHECK(words_covered("dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw") ==
        "################################################");
  CHECK(words_covered("biwsbj11c2VyLHI9ZnlrbytkMg==") == "############################");
  CHECK(words_covered("TlRMTVNTUAABAAAA") == "################");
  for (const char* plain :
       {"MUMBLE something", "XYZZYXYZZYXYZZY", "c2VjcmV0c2VjcmV0", "Received: from a by b", ""}) {
    CHECK(words_covered(plain) == plain);
  }
}

TEST_CASE("what could be a SASL response") {
  CHECK(looks_like_response("dXNlcg=="));
  CHECK(looks_like_response("####"));
  CHECK_FALSE(looks_like_response("pass word"));
  CHECK_FALSE(looks_like_response("a@b"));
}

namespace {

/// `line` with '#' for what repeats what was learned: the responses of a login, the name first.
std::string covered(const std::vector<std::string_view>& responses, std::string_view line,
                    bool answers_login = true, bool unfinished = false) {
  RecentSecrets secrets;
  bool first = true;
  for (const std::string_view each : responses) {
    secrets.learn(each, first && responses.size() > 1);
    first = false;
  }
  std::string text(line);
  for (const TextRange& part : secrets.find(line, answers_login, unfinished)) {
    for (std::size_t i = part.begin; i < part.end; ++i) text[i] = '#';
  }
  return text;
}

}  // namespace

TEST_CASE("what a server repeats of a login") {
  const std::vector<std::string_view> login = {"YWxpY2U=", "czNjcjN0IQ=="};  // alice, s3cr3t!
  CHECK(covered(login, "535 no alice, not s3cr3t!") == "535 no #####, not #######");
  CHECK(covered(login, "535 no ALICE, not S3CR3T!") == "535 no #####, not #######");
  CHECK(covered(login, "500 unknown 'czNjcjN0IQ=='") == "500 unknown '############'");
  CHECK(covered(login, "500 unknown 'CZNJCJN0...'") == "500 unknown '########...'");
  // "a wrong s3cr3t! it is" and "wrong s3cr3t! it is" and so on, as base64.
  for (const char* encoded : {"YSB3cm9uZyBzM2NyM3QhIGl0IGlz",
                              "d3JvbmcgczNjcjN0ISBpdCBpcw==", "cm9uZyBzM2NyM3QhIGl0IGlz"}) {
    CHECK(covered(login, std::string("535 ") + encoded) ==
          "535 " + std::string(std::string_view(encoded).size(), '#'));
  }
  // Behind other octets of base64, however many.
  for (const char* before : {"a/", "ab/", "abc/", "abcd/"}) {
    CHECK(covered(login, std::string("535 ") + before + "eHkgczNjcjN0ISB6") ==
          "535 " + std::string(std::string_view(before).size() + 16, '#'));
  }
  // Elsewhere a name is what the dialogue is about.
  CHECK(covered(login, "250 <alice@example.org> ok", false) == "250 <alice@example.org> ok");
  CHECK(covered(login, "250 s3cr3t! ok", false) == "250 ####### ok");
}

TEST_CASE("what only looks like a secret stays") {
  const std::vector<std::string_view> login = {"YWxpY2U=", "bWFpbA=="};  // alice, mail
  CHECK(covered(login, "250 mailbox of malice and alices ok") ==
        "250 mailbox of malice and alices ok");
  CHECK(covered({"b2s="}, "250 ok", false) == "250 ok");  // ok
  CHECK(covered({"VXNlcm5hbWU6"}, "334 VXNlcm5hbWU6") == "334 VXNlcm5hbWU6");
  CHECK(covered({"########"}, "235 ######## ok") == "235 ######## ok");
  CHECK(covered({"NTM1"}, "535 no") == "535 no");  // 535
  CHECK(covered({"NTM1"}, "535-it is 535") == "535-it is ###");
  CHECK(covered({"*"}, "501 * ok") == "501 * ok");
}

TEST_CASE("the parts of structured responses") {
  // NUL alice NUL secret99
  CHECK(covered({"AGFsaWNlAHNlY3JldDk5"}, "535 alice/secret99") == "535 #####/########");
  // user=alice ^A auth=Bearer ya29.token ^A^A
  CHECK(covered({"dXNlcj1hbGljZQFhdXRoPUJlYXJlciB5YTI5LnRva2VuAQE="}, "535 ya29.token, alice") ==
        "535 ##########, #####");
  // tim b913a602c7eda7a495b4e6e7334d3890
  CHECK(covered({"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"},
                "535 tim b913a602c7eda7a495b4e6e7334d3890") ==
        "535 ### ################################");
  CHECK(covered({"YWxpY2U6czNjcjN0IQ=="}, "401 alice, s3cr3t!") == "401 #####, #######");
  CHECK(covered({"\"alice\" \"s3cr3t pw\""}, "NO alice") == "NO #####");
}

TEST_CASE("a long token is known by its beginning") {
  const std::string token = std::string(200, 'x') + ".y_z-" + std::string(100, 'w');
  CHECK(covered({token}, "535 <" + token + "> bad") ==
        "535 <" + std::string(token.size(), '#') + "> bad");
}

TEST_CASE("an unfinished line may end inside of a secret") {
  const std::vector<std::string_view> login = {"YWxpY2U=", "czNjcjN0IQ=="};
  CHECK(covered(login, "535 bad s3cr", true, true) == "535 bad ####");
  CHECK(covered(login, "535 bad s3cr", true, false) == "535 bad s3cr");
}

TEST_CASE("memory for secrets is bounded") {
  RecentSecrets secrets;
  for (int i = 0; i < 1000; ++i) secrets.learn("secret" + std::to_string(i) + "!", false);
  CHECK(secrets.find("secret0!", true, false).empty());
  CHECK(secrets.find("secret999!", true, false).size() == 1);
}

#include "redact/standard_words.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "base/ascii.h"
#include "parser/verb.h"

namespace smtpscope {
namespace {

/// English that has no names in it. No given names, no words that are common surnames.
constexpr std::string_view kEnglish = R"(
a able about above accept acceptable accepted accepting accepts access account accounts action
actions active activity actual add added additional address addressed addresses administrative
administrator admin after again against agent agree all allow allowed allowing allows already also
although always an and another any anyone anything appears application apply are argument arguments
as ask asked at attachment attachments attempt attempted attempts authority available away back bad
balance banned be because been before begin behavior being below best better between beyond big
block blocked blocking body both bounce bounced break broken buffer bug bulk busy but by bytes byte
call came can cannot cancel cancelled canceled case cause certain change changed channel character
characters check checked checking checks choose class clean clear client clients close closed
closing code codes come comes coming command commands comment common communication complete completed
complies computer condition configuration configured confirm conflict connect connected connecting
connection connections consent consult contact contain contained containing contains content
contents continue control conversation conversion convert copies copy correct could count country
create current currently daemon data database day days dead deadline december january february march
april june july august september october november date deactivated deceased declined default defer
deferral deferred delay delayed delete deleted deliver deliverability deliverable delivered delivering
delivery denied deny depth destination destinations detail details detected did different digits
direct directly directory disabled disallowed discard discarded discarding disconnect disconnected
disconnecting disk display do documentation does doing domain domains don done double down drop
dropped due duplicate during dynamic each early eat either else email emails embedded empty enable
enabled encoded encoding encrypt encrypted encryption end ended ending ends enough enter entry
error errors established etc even event ever every exceed exceeded exceeds exception excessive
execute exist existing exists exit expand expanding expected expired explain explanation exps
extended extension extensions external extra fail failed failing fails failure failures false far
feature few field fields file files filter filtered filtering filters final find fine finished first
fix flood follow followed following for forbidden force forged form format forward forwarded
forwarding found four fraud free frequent friday from full fully further future garbage gateway
general generic get give given go goes going gone good goodbye got graylist graylisted graylisting
greetings greylist greylisted greylisting gray grey group had half hand handle handled handling hang
harmful has have he header headers hello help here hi high higher history hold hop hops host hostname
hosted hosts hour hours how html however human id identified identify identity idle if ignore ignored
ignoring illegal immediately implemented improper in inactive inactivity inbound include included
including incoming incomplete incorrect indicates individual inform information infrastructure
initial inner input inside insufficient intended interface internal internet interrupted into
introduction invalid investigate ip is issue issued issues it item items its itself join just keep key
keyword kind know known large larger last late later least left length less let level like likely limit
limited limits line lines link list listed listing lists load local locally localpart location lock locked log
logged login logon long longer look looks lookup loop looping loops lost lot low lower mail mailbox
mailboxes mailer mailers mailing mails maintenance make making malformed malicious malware man
management many map mapping match matches matching maximum may me mean mechanism mechanisms media
meet member memory message messages method might min minimum minute minutes misconfigured missing
mistake mode moderated moment monday month more most move moved much multiple must my name named names
necessary need needed needs nested network networks never new next nice no nobody node non none
nonexistent nonmail normal not note nothing notice notification notifications now number numbers
object obsolete occurred octet octets of off offer offered offline oh ok okay old on once one ones only
open operation operator opt optional options or order org organization origin original originating
other others our out outbound outdated outgoing outside over overflow overload overloaded own
owner packet page parameter parameters parse parsing part partial partially parts party pass passed
passes password past path pattern pending per perform performance performed perhaps period
permanent permanently permission permissions permit permitted person phishing phone pipelined place
plain please pleased plus point policies policy pool poor port ports possible possibly post posted
posting postmaster precondition preference presented pretty previous previously prior priority
private privilege privileges problem problems proceed process processed processing program prohibited
proper properly protected protection protocol prove proved provide provided provider proxy public
purpose put qualified query queue queued queuing quit quota quotas quote quoted range rate rather re
reach reached read reading ready real reason reasons receive received receiver receiving recent
recently recipient recipients recognize recognized recommend recommended record records redirect
refer reference refuse refused refuses refusing regarding register registered registration reject
rejected rejecting rejection rejects relay relayed relaying release remaining remote remove removed
removing repeat repeated replace reply replying report reported reports reputation request requested
requests require required requirement requirements requires reset resource resources respond response
responses restart restricted restriction restrictions result resulted results resume retries retry
retrying return returned reverse review right round route routed router routing rule rules run running
said same saturday save say says scan scanned scanner scanning score search second seconds section
secure secured security see seem seems seen select send sender senders sending sends sent separate
sequence server servers service services serving session sessions set setting settings setup shall
she short should show shutdown shutting sign signature signed significant simple simultaneous since
single site sites size slow small so software solicited some someone something sorry sounds source
space spam spamming spammer speak specified spoof spoofed spoofing stage standard standards start
started starting state status still stop stopped storage store stored strange stream string strong
subject submission submit submitted success successful successfully such sufficient summary sunday
support supported supports suspect suspected suspended suspicious switch syntax system systems table
take taken takes talk task technical temporarily temporary term terminate terminated terminating
test testing tests text than thank thanks that the their them then there therefore these they thing
things this those though threat three through throttle throttled throttling thursday time timed timeout
times to today together token tokens tomorrow too took total touch track traffic transaction
transactions transfer transferred transition transmission transport trash tried tries trouble true
trust trusted try trying tuesday turn turned turning two type types unable unacceptable unauthenticated
unauthorized unavailable under understand understood undeliverable undefined unencrypted unexpected
unfortunately unimplemented unique unknown unless unrecognised unrecognized unreachable unresolvable
unsolicited unsubscribe unsupported until unusual unverified up update updated upgrade upon upstream us
usage use used useful user username users uses using usual valid value values vary verification verified
verify version very via violated violation violations virtual virus viruses visit void volume wait
waiting wants warning was way we weak web website wednesday week welcome well went were what when where
whether which while white whitelist who whole whom why will window with within without word words work
working works world would wrong yes yesterday yet you your yours zero blacklist blacklisted blocklist
denylist allowlist mx dns rdns ptr txt cname soa nxdomain servfail resolve resolved resolver resolving
aliases alias vacation autoreply antispam antivirus infected quarantine quarantined suspicion
fcrdns helo ehlo lhlo tcp udp ipv4 ipv6 inet unix socket tls ssl tlsv1 sslv3 starttls cipher ciphers
certificate certificates handshake negotiation negotiate negotiated bits verify expired spf dkim dmarc
arc seal arcseal dane tlsa dnssec dnsbl rbl dnswl bimi softfail hardfail permerror temperror neutral
aligned alignment adkim aspf mandatory mon tue wed thu fri sat sun jan feb mar apr jun jul aug sep oct
nov dec utc gmt cet cest est edt pst pdt cst cdt mst mdt
broken pipe refused peer network node address family resolution descriptor busy captured tried answer
killed cut interrupted aborted canceled permanent gone died unsent undecided buffer allocation denied
hole skipped corrupt parse missing octet json member capture stalled synchronization function
attribute max expansion concurrent precede doesn isn didn couldn wasn won bugs bye succeeded abandoned
authenticate authenticates present write writing syntactically authenticated progress diagnostic soon
advertised callout cache unqualified bare ahead implementation beginning screening onward shortage
truncated internationalised internationalized compliant authorization authorized earlier imposed
unicode greeting combined kept gave crashed signal forced excess average discards accepts rejects
closes opens sends waits dig whois lookups refer fixed bogus valid invalidated hostnames ipaddress
assistance inquiries mxes nameserver nameservers reverse forward-confirmed pointer generic residential
dialup consumer dsl cable pool listed delist delisting removal mitigation feedback complaint complaints
authenticity alignment policies enforced unaligned failing quarantining ratelimit ratelimited burst
info hourly daily weekly monthly per-user overquota mailsize oversized attachments executable extension
extensions zip macro macros content-based fingerprint heuristics bayes probability likely
actively econnrefused ehostunreach enetunreach enotfound etimedout eai_again nodename nor servname
unknownhost
)";

/// What programs and services call themselves, and what is in their texts.
constexpr std::string_view kPrograms = R"(
postfix exim sendmail opensmtpd qmail netqmail dovecot haraka courier zimbra exchange microsoft google
gsmtp outlook office365 ms hotmail gmail yahoo icloud zoho amazon ses amazonses sendgrid mailgun
sparkpost postmark mailchimp proofpoint mimecast barracuda ironport cisco fortinet fortimail sophos
symantec messagelabs trendmicro mcafee spamhaus spamcop sorbs surbl uribl zen sbl xbl pbl css
spamassassin rspamd amavis amavisd clamav clamd postgrey policyd postscreen milter opendkim opendmarc
mailman majordomo listserv sympa ezmlm procmail maildrop fetchmail mutt msmtp ssmtp swaks smtplib curl
thunderbird evolution avast avg norton kaspersky eset debian ubuntu gnu linux freebsd openbsd netbsd
centos redhat fedora suse windows macos apple mac solaris esmtpsa esmtpsmtp esmtps esmtpa esmtp smtp
smtps lmtp lmtps smtputf8 mdaemon hmailserver kerio lotus domino groupwise imail mercury merak icewarp
ftp ftpd proftpd vsftpd pureftpd filezilla mailenable surgemail communigate postoffice mta mua msa mda mtas smtpd lmtpd smtpscope sink imap imaps
pop3 pop pop3s sieve submissions ldap mysql pgsql sql pcre regexp hash btree lmdb cdb access restrict
smarthost sasl sasldb saslauthd gssapi kerberos ntlm oauth mynetworks nxdomain usr var run spool lib
etc tmp private public unionstation http https www ftp ssh sip smb rdp telnet ident openssh openssl
gnutls get post head put delete options trace patch connect proxy tcp4 tcp6 inbox
verp xverp prvs srs batv mailscanner mimedefang dspam bogofilter
mailer-daemon root nobody localhost localdomain localhost6 ip6-localhost
)";

/// Of RFC 5321, 3461 and others: parameters and their values, and the two prompts of AUTH LOGIN
/// (draft-murchison-sasl-login), "Username:" and "Password:" in base64.
constexpr std::string_view kProtocol = R"(
7bit 8bit binary base64 printable plain login cram md5 cram-md5 digest digest-md5 scram sha sha1 sha256
sha-1 sha-256 sha512 plus xoauth xoauth2 oauthbearer external anonymous otp skey securid ecdh x25519
aes128 aes256 gcm cbc chacha20 poly1305 rsa ecdsa dhe ecdhe psk tls1 null anon
never success failure delay full hdrs ret envid notify orcpt by rrvs holdfor holduntil priority mixer
stanag4406 nsep rfc822 utf8 utf x400 unavailable tempunavail addr proto destaddr destport reverse_name
rcptmax mailmax rcptdomainmax last chunk vxnlcm5hbwu6 vxnlcm5hbwuaoge ugfzc3dvcmq6 ugfzc3dvcmqa to from
cc bcc esmtp 8bitmime 250 354 220 221 421 450 451 452 500 501 502 503 504 550 551 552 553 554 555 dsn
rfc rfcs bcp imf mime mailto multipart unencoded newline cr lf crlf eof eom eod dot dots ack nul
)";

/// RFC 5322, RFC 2045 and what is registered with IANA as header fields of mail.
constexpr std::string_view kHeaderFields = R"(
subject received date message-id message mime-version mime content-type content-transfer-encoding
content-disposition content-id content-description content-language transfer disposition description
reply-to in-reply-to references sender return-path resent delivered-to dkim-signature
authentication-results authentication results x-mailer user-agent precedence importance organization
errors-to auto-submitted submitted auto thread-topic thread-index list-unsubscribe list-id status
)";

constexpr std::string_view kExtensions = R"(
8bitmime atrn auth binarymime burl chunking checkpoint conneg conperm deliverby dsn enhancedstatuscodes
etrn expn futurerelease help limits mt-priority mtrk no-soliciting onex pipelining prdr requiretls rrvs
pipe_connect saml send size smtputf8 soml starttls submitter turn ubm utf8smtp utf8smtplmtp verb vrfy xclient
xforward xverp xexch50 x-exps x-anonymoustls x-link2state xrdst xshadow xshadowrequest xadr xoorg xproxy
xproxyfrom xproxyto xmessagecontext xsysprobe xorig xattrdirect xattrorgid xyzzy xdebug xusr xremotequeue
xloop xuidl xtls xapplepushservice xdsn xauth xresume x-exch50 verp jpipelining helo ehlo lhlo mail rcpt
data rset noop quit
)";

constexpr std::string_view kMime = R"(
text plain html enriched calendar csv xml richtext multipart mixed alternative related digest parallel
signed encrypted report message rfc822 partial external-body delivery-status disposition-notification
application octet-stream pdf zip json msword pkcs7-signature pkcs7-mime pgp-signature pgp-encrypted
octet stream pkcs7 pgp signature mime image jpeg png gif tiff bmp svg audio mpeg wav video mp4 charset
us-ascii us ascii utf utf-8 iso iso-8859-1 8859 windows koi8 gb2312 big5 iso-2022-jp shift_jis boundary
name filename type start format flowed delsp protocol micalg sha sha-1 sha-256 sha1 sha256 md5 pgp-sha1
pgp-sha256 pgp-sha512 7bit 8bit 7 8 1 15 2 0 binary base64 quoted printable quoted-printable attachment
inline size creation-date modification-date access-type report-type feedback-report rfc822-headers
headers delivery status notification form-data form data smime
)";

/// Of the phrases that findings look for ("try again later") the words are standard words. These
/// are found inside of words too.
constexpr std::string_view kParts =
    "authenticat certificate disk dkim dmarc dns esmtp ftp gray_list graylist grey_list greylist "
    "hostname pipelin synchroni "
    "idle inactiv locked lookup quota resolve retry spf starttls storage timeout tls "
    "unauthenticated "
    "unreachable";

/// The words of some lists, each once, for looking up.
class WordSet {
 public:
  explicit WordSet(std::initializer_list<std::string_view> lists) {
    for (std::string_view list : lists) {
      while (true) {
        const std::size_t begin = list.find_first_not_of(" \n");
        if (begin == std::string_view::npos) break;
        const std::size_t end = std::min(list.find_first_of(" \n", begin), list.size());
        words_.insert(list.substr(begin, end - begin));
        list.remove_prefix(end);
      }
    }
  }
  bool has(std::string_view word) const {
    constexpr std::size_t kLongest = 40;
    if (word.empty() || word.size() > kLongest) return false;
    return words_.contains(in_lower_case(word));
  }
  const std::unordered_set<std::string_view>& words() const { return words_; }

 private:
  std::unordered_set<std::string_view> words_;
};

}  // namespace

bool is_standard_word(std::string_view word) {
  static const WordSet kWords{kEnglish, kPrograms, kProtocol, kHeaderFields, kExtensions};
  return kWords.has(word) || verb_of(word) != Verb::kUnknown;
}

std::string_view telling_part(std::string_view word) {
  static const WordSet kTelling{kParts};
  std::string_view longest;
  for (const std::string_view part : kTelling.words()) {
    if (part.size() <= longest.size() || part.size() > word.size()) continue;
    const auto same = [](char a, char b) { return upper(a) == upper(b); };
    const auto found = std::search(word.begin(), word.end(), part.begin(), part.end(), same);
    if (found != word.end()) {
      longest = word.substr(static_cast<std::size_t>(found - word.begin()), part.size());
    }
  }
  return longest;
}

bool is_extension_keyword(std::string_view word) {
  static const WordSet kWords{kExtensions};
  return kWords.has(word);
}

bool is_mime_word(std::string_view word) {
  static const WordSet kWords{kMime};
  return kWords.has(word);
}

}  // namespace smtpscope

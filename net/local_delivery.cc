#include "net/local_delivery.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace smtpscope {
namespace {

/// Addresses for documentation (RFC 5737, RFC 3849), which nobody has.
constexpr const char* kSomewhere4 = "203.0.113.1";
constexpr const char* kSomewhere6 = "2001:db8::1";

struct Question {
  nlmsghdr header;
  rtmsg route;
  std::array<char, 64> attributes;
};

void add(Question& question, unsigned short type, const void* data, std::size_t size) {
  auto* attribute = reinterpret_cast<rtattr*>(reinterpret_cast<char*>(&question) +
                                              NLMSG_ALIGN(question.header.nlmsg_len));
  attribute->rta_type = type;
  attribute->rta_len = static_cast<unsigned short>(RTA_LENGTH(size));
  std::memcpy(RTA_DATA(attribute), data, size);
  question.header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_ALIGN(question.header.nlmsg_len) +
                                                         RTA_ALIGN(attribute->rta_len));
}

}  // namespace

LocalDelivery delivers_locally(int family, std::uint32_t mark) {
  const int netlink = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (netlink < 0) return LocalDelivery::kUnknown;
  std::array<unsigned char, 16> somewhere{};
  const bool six = family == AF_INET6;
  ::inet_pton(family, six ? kSomewhere6 : kSomewhere4, somewhere.data());
  Question question{};
  question.header.nlmsg_len = NLMSG_LENGTH(sizeof(rtmsg));
  question.header.nlmsg_type = RTM_GETROUTE;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.route.rtm_family = static_cast<unsigned char>(family);
  question.route.rtm_dst_len = six ? 128 : 32;
  add(question, RTA_DST, somewhere.data(), six ? 16 : 4);
  add(question, RTA_MARK, &mark, sizeof(mark));
  alignas(nlmsghdr) std::array<char, 4096> answer{};
  ssize_t got = -1;
  if (::send(netlink, &question, question.header.nlmsg_len, 0) >= 0) {
    got = ::recv(netlink, answer.data(), answer.size(), 0);
  }
  ::close(netlink);
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
  if (got < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(rtmsg)))) return LocalDelivery::kUnknown;
  if (header->nlmsg_type == NLMSG_ERROR) return LocalDelivery::kNo;  // no route at all
  const auto* route = static_cast<const rtmsg*>(NLMSG_DATA(header));
  return route->rtm_type == RTN_LOCAL ? LocalDelivery::kYes : LocalDelivery::kNo;
}

}  // namespace smtpscope

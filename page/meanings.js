// What commands and codes mean, and where that is written.

// RFC 5321 4.1.1, and the extensions' own.
export const COMMANDS = {
  HELO: ["the client says its name; the server offers no extension to it", "RFC 5321 4.1.1.1"],
  EHLO: ["the client says its name and asks what the server offers", "RFC 5321 4.1.1.1"],
  LHLO: ["as EHLO, in LMTP", "RFC 2033 4.1"],
  MAIL: ["a message begins: its sender", "RFC 5321 4.1.1.2"],
  RCPT: ["a recipient of the message", "RFC 5321 4.1.1.3"],
  DATA: ["the message follows once the server says 354", "RFC 5321 4.1.1.4"],
  BDAT: ["a chunk of the message follows at once", "RFC 3030 2"],
  BURL: ["the message is fetched from IMAP", "RFC 4468 3"],
  RSET: ["forget sender and recipients", "RFC 5321 4.1.1.5"],
  VRFY: ["does this address exist?", "RFC 5321 4.1.1.6"],
  EXPN: ["who is on this list?", "RFC 5321 4.1.1.7"],
  HELP: ["the server is asked for help", "RFC 5321 4.1.1.8"],
  NOOP: ["nothing: are you there?", "RFC 5321 4.1.1.9"],
  QUIT: ["the client wants to end the session", "RFC 5321 4.1.1.10"],
  STARTTLS: ["TLS is to begin", "RFC 3207 4"],
  AUTH: ["the client logs in", "RFC 4954 4"],
  ETRN: ["the server is to send what waits for a domain", "RFC 1985 5"],
  XCLIENT: ["a proxy says who the client is", "Postfix XCLIENT"],
  XFORWARD: ["a proxy says who the client is, for the log", "Postfix XFORWARD"],
};

// RFC 5321 4.2.3, RFC 4954 6, RFC 7504
export const CODES = {
  211: "system status", 214: "help", 220: "the service is ready", 221: "the server closes the session",
  235: "logged in", 250: "done", 251: "the user is elsewhere, the server forwards", 252: "cannot say, but will take the message",
  334: "the login goes on", 354: "send the message", 421: "the server cannot go on and closes", 432: "a new password is needed",
  450: "mailbox busy or not available now: try again", 451: "an error of the server: try again", 452: "no room: try again",
  454: "not now: login or TLS failed for the moment", 455: "the parameters cannot be taken now", 500: "command not understood",
  501: "bad parameters", 502: "command not implemented", 503: "wrong order of commands", 504: "parameter not implemented",
  521: "the host takes no mail", 530: "log in first, or use TLS", 534: "this way of logging in is too weak", 535: "the login was refused",
  538: "this way of logging in needs TLS", 550: "mailbox not available, or refused by policy", 551: "the user is not here",
  552: "over the limit of storage", 553: "bad mailbox name", 554: "the transaction failed, or no service here", 555: "parameters of MAIL or RCPT unknown",
  556: "the domain takes no mail",
};

// RFC 3463 3 and the registry: subject and detail behind the class.
const ENHANCED = {
  "0.0": "other status", "1.0": "address, other", "1.1": "no such mailbox", "1.2": "no such system", "1.3": "bad syntax of the mailbox",
  "1.4": "the mailbox is ambiguous", "1.5": "the recipient is valid", "1.6": "the mailbox has moved", "1.7": "bad syntax of the sender", "1.8": "bad system of the sender",
  "1.10": "the recipient's domain takes no mail", "2.0": "mailbox, other", "2.1": "mailbox disabled", "2.2": "mailbox full", "2.3": "message too long for the mailbox",
  "2.4": "a mailing list's problem", "3.0": "mail system, other", "3.1": "mail system full", "3.2": "the system takes no messages", "3.3": "the system lacks a feature",
  "3.4": "message too big for the system", "3.5": "the system is set up wrongly", "4.0": "network, other", "4.1": "no answer from the host", "4.2": "bad connection",
  "4.3": "a directory server failed", "4.4": "no route", "4.5": "the mail system is congested", "4.6": "a loop", "4.7": "delivery time is over", "5.0": "protocol, other",
  "5.1": "not a valid command", "5.2": "syntax error", "5.3": "too many recipients", "5.4": "bad parameters", "5.5": "wrong version", "5.6": "a line of the login is too long",
  "6.0": "content, other", "6.1": "media not supported", "6.2": "conversion is needed and prohibited", "6.3": "conversion is needed and not supported",
  "6.6": "the message was not available", "7.0": "security or policy, other", "7.1": "not authorised", "7.2": "may not send to the list", "7.8": "wrong login or password",
  "7.9": "this way of logging in is too weak", "7.10": "encryption is needed", "7.11": "encryption is needed for this login", "7.14": "trust relationship needed",
  "7.20": "no valid DKIM signature", "7.23": "SPF says no", "7.24": "SPF could not be checked", "7.25": "reverse DNS does not match", "7.26": "several authentication checks failed",
  "7.27": "the sender's domain takes no mail", "7.28": "too much mail",
};

export function enhanced(text) {
  const found = /^([245])\.(\d{1,3}\.\d{1,3})(?= |$)/.exec(text);
  return found ? [found[0], ENHANCED[found[2]] || "", "RFC 3463"] : null;
}

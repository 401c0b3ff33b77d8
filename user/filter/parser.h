// Reads filter expressions. What pcap-filter(7) has of connections is spelled and means the same here.
//
//     expression = operand { ( "and" | "&&" | "or" | "||" ) operand } ;
//     operand    = { "not" | "!" } ( "(" expression ")" | primitive | value ) ;
//     primitive  = [ family ] [ ends ] ( "host" values | "net" values )
//                | [ "tcp" ] [ ends ] ( "port" values | "portrange" values )
//                | ends values                                  (* hosts *)
//                | "tcp" | family
//                | ( "pid" | "comm" | "uid" | "cgroup" | "container" | "netns" | "state" | "event" ) values
//                | "outgoing" | "incoming"
//                | ( "duration" | "retransmits" | "rtt" | "bytes" ) relation quantity ;
//     family     = "ip" | "ip6" ;
//     ends       = end | end ( "or" | "and" ) end ;
//     end        = "src" | "local" | "dst" | "remote" ;
//     values     = value | "(" valuelist ")" ;
//     valuelist  = valueitem { ( "and" | "&&" | "or" | "||" ) valueitem } ;
//     valueitem  = { "not" | "!" } ( value | "(" valuelist ")" ) ;
//     relation   = "<" | "<=" | ">" | ">=" | "=" | "==" | "!=" ;
//
// "and" and "or" bind alike, and from the left: "a or b and c" is "(a or b) and c". "not" binds tighter. A value
// without a keyword takes the last keyword before it, with its ends: "src port 80 or 443", "not host 10.0.0.1 and
// 10.0.0.2" (which is "not host 10.0.0.1 and host 10.0.0.2"). With no keyword before it an address is a host.
//
// Values, by keyword:
//     host       IPv4 or IPv6 address
//     net        address "/" bits; IPv4 address "mask" address; 1 to 4 numbers of an IPv4 address (10.1: 16 bits); an
//                IPv6 address alone. Bits behind the prefix must be 0
//     port       1 to 65535, or the name of a service
//     portrange  port "-" port
//     pid        a number
//     uid        a number, or the name of a user
//     comm       a pattern (glob.h), compared with the whole name
//     cgroup     the path of a cgroup from the root of its hierarchy, or a pattern for one (cgroup_match.h)
//     container  the begin of an id, or a pattern for a name (cgroup_match.h)
//     netns      a name of ip-netns(8), a process id, or an inode number (above 4194304)
//     state      a state as the kernel and ss(8) name it, in any case: ESTABLISHED, TIME_WAIT, TIME-WAIT
//     event      state, error, retransmit, reset, accept, handshake, queue, probe, congestion, found, gone or verdict
//     quantity   of duration and rtt: a decimal number and ns, us, ms, s, m, h or d; of retransmits: a number;
//                of bytes: a number and K, M, G or T (1024 each), kB, MB, GB or TB (1000), or nothing
//
// Words end at blanks and at the signs ( ) ! < > = & | ' ". A value between '...' or "..." may contain them; a
// backslash before a word's first letter makes a value of what would be a keyword.
#pragma once

#include "filter/expression.h"
#include "filter/names.h"
#include "model/result.h"

#include <cstddef>
#include <string_view>

namespace tcpflight {

// Of blanks alone: an expression that is open. Errors are a sentence, the text (or the part of it that matters), and
// below it a caret at the place: three lines.
Result<Expression> parse_expression(std::string_view text, const Names &names);

// Can an expression begin with this word of a command line ("port", "(ip", "!")?
bool begins_expression(std::string_view word);

// Longer ones are refused, and deeper parentheses: what reads the tree may recurse.
constexpr std::size_t max_expression_bytes = 65536;
constexpr int max_expression_depth = 50;

} // namespace tcpflight

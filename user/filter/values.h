// The values in a filter expression: text in, terms out. An error is the end of a sentence that the parser begins.
#pragma once

#include "filter/expression.h"
#include "filter/names.h"
#include "model/result.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tcpflight {

// "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1" (which is IPv4). None: it is none.
std::optional<Address> parse_address(std::string_view text);

Result<NetTerm> parse_host_value(std::string_view text);
// `mask`: of "net 10.0.0.0 mask 255.0.0.0"; empty: there is none.
Result<NetTerm> parse_net_value(std::string_view text, std::string_view mask);
Result<PortTerm> parse_port_value(std::string_view text, const Names &names);
Result<PortTerm> parse_port_range_value(std::string_view text, const Names &names);
Result<NumberTerm> parse_pid_value(std::string_view text);
Result<NumberTerm> parse_uid_value(std::string_view text, const Names &names);
Result<NumberTerm> parse_netns_value(std::string_view text, const Names &names);
Result<NameTerm> parse_comm_value(std::string_view text);
Result<NameTerm> parse_cgroup_value(std::string_view text);
Result<NameTerm> parse_container_value(std::string_view text);
Result<StateTerm> parse_state_value(std::string_view text);
Result<EventTerm> parse_event_value(std::string_view text);
// Nanoseconds, bytes, or how often.
Result<std::uint64_t> parse_quantity_value(Quantity quantity, std::string_view text);

} // namespace tcpflight

// Addresses as text.
#pragma once

#include "model/endpoint.h"
#include "sink/line_writer.h"

namespace tcpflight {

// All zeros: 0.0.0.0 or ::.
bool is_unspecified(const Address &address);

// Dotted for IPv4, RFC 5952 for IPv6.
void put_address(LineWriter &line, const Address &address);

// tcpdump's address.port; "?" where the port is not known.
void put_endpoint(LineWriter &line, const Endpoint &endpoint);

} // namespace tcpflight

// Which changes of state there are.
#pragma once

#include <string_view>

namespace tcpflight::test {

// May a socket of this kernel go from one state to the other? RFC 9293 section 3.3.2 (figure 5) as Linux implements it:
//
//   - RST, ABORT and time-outs lead from every state to CLOSE.
//   - LISTEN > SYN_RECV is a child's birth; RFC 9293 has no children.
//   - ESTABLISHED > LAST_ACK does not exist: the kernel waits in CLOSE_WAIT until its process has closed.
//   - FIN_WAIT1 > TIME_WAIT (a FIN that acknowledges ours) goes through FIN_WAIT2: tcp_rcv_state_process() handles the
//     acknowledgement first, and tcp_fin() after it.
//   - SYN_RECV > CLOSE_WAIT and FIN_WAIT1: with TCP Fast Open a child can be accepted in SYN_RECV.
//   - TIME_WAIT, and FIN_WAIT2 of an orphan, are `left`: what the kernel keeps in the place of a closed socket
//     (tcp_time_wait()). What is in FIN_WAIT2 goes on to TIME_WAIT, and both end in CLOSE.
//
// Names as in the kernel. `left`: the socket is gone, and this is about what took its place.
bool is_legal(std::string_view from, std::string_view to, bool left);

} // namespace tcpflight::test

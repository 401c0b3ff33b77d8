// What the kernel keeps back even from root.
#pragma once

#include <string>

namespace tcpflight {

// "none", "integrity" or "confidentiality"; empty where the kernel has no lockdown (kernel_lockdown(7)).
std::string lockdown_mode();

} // namespace tcpflight

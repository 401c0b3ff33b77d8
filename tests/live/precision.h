// What this kernel, as it was booted, keeps from every tracer: scenarios expect so much less of it, and say so.
#pragma once

#include <string>

namespace tcpflight::test {

enum class Precision {
    Reasons, // why a RST was sent, and the RST that no socket sends: Linux 6.10
    Memory,  // programs may read what no type of the kernel leads to: not under lockdown=confidentiality
    Births,  // a child that is born has a cookie of its own: Linux 6.18, not up to 6.12 (others were not tried)
};

bool kernel_has(Precision precision);

// True if it has not; then the running test is marked as less precise, and `how` ("no RST without a connection").
bool lacks(Precision precision, const std::string &how);

// The same of a RST that no socket sends, which takes both.
bool lacks_strays();

// Marks the running test: tools/kernels shows it.
void less_precise(const std::string &how);

} // namespace tcpflight::test

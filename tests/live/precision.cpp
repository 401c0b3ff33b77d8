#include "live/precision.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/utsname.h>
#include <utility>

namespace tcpflight::test {
namespace {

bool contains(const char *path, const char *text)
{
    std::ifstream file(path, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    return content.find(text) != std::string::npos;
}

bool is_at_least(int major, int minor)
{
    utsname name{};
    int has_major = 0;
    int has_minor = 0;
    if (uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &has_major, &has_minor) != 2) // NOLINT
        return true;
    return std::pair(has_major, has_minor) >= std::pair(major, minor);
}

} // namespace

bool kernel_has(Precision precision)
{
    static const bool reasons = contains("/sys/kernel/btf/vmlinux", "SK_RST_REASON_NO_SOCKET");
    static const bool memory = !contains("/sys/kernel/security/lockdown", "[confidentiality]");
    switch (precision) {
    case Precision::Reasons: return reasons;
    case Precision::Memory: return memory;
    case Precision::Births: return is_at_least(6, 18);
    }
    return true;
}

bool lacks(Precision precision, const std::string &how)
{
    if (kernel_has(precision))
        return false;
    less_precise(how);
    return true;
}

bool lacks_strays()
{
    const std::string how = "no RST without a connection";
    return lacks(Precision::Reasons, how) || lacks(Precision::Memory, how);
}

void less_precise(const std::string &how)
{
    // One property for each: the second of a name takes the place of the first.
    std::string key = "less_precise_" + how;
    std::replace_if(
        key.begin(), key.end(), [](unsigned char letter) { return std::isalnum(letter) == 0; }, '_');
    testing::Test::RecordProperty(key, how);
}

} // namespace tcpflight::test

#include "live/precision.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

namespace tcpflight::test {
namespace {

bool contains(const char *path, const char *text)
{
    std::ifstream file(path, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    return content.find(text) != std::string::npos;
}

} // namespace

bool kernel_has(Precision precision)
{
    static const bool reasons = contains("/sys/kernel/btf/vmlinux", "SK_RST_REASON_NO_SOCKET");
    static const bool memory = !contains("/sys/kernel/security/lockdown", "[confidentiality]");
    return precision == Precision::Reasons ? reasons : memory;
}

bool lacks(Precision precision, const std::string &how)
{
    if (kernel_has(precision))
        return false;
    less_precise(how);
    return true;
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

// That the kernel's types are read into memory once (docs/decisions/0025): libbpf 1.1 alone takes twice their size.
#include "model/file_descriptor.h"
#include "probe/kernel_btf.h"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>

namespace tcpflight::test {
namespace {

constexpr auto path = "/sys/kernel/btf/vmlinux";

// A size of this process, KiB.
std::size_t status_kib(const std::string &key)
{
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key + ":"))
            return std::strtoul(line.c_str() + key.size() + 1, nullptr, 10);
    }
    return 0;
}

TEST(KernelTypes, AreInMemoryOnce)
{
    const FileDescriptor file(open(path, O_RDONLY | O_CLOEXEC)); // NOLINT(cppcoreguidelines-pro-type-vararg)
    struct stat status {};
    if (!file.is_open() || fstat(file.get(), &status) != 0)
        GTEST_SKIP() << "needs a kernel with BTF (" << path << ")";
    const auto size = static_cast<std::size_t>(status.st_size);
    void *data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED)
        GTEST_SKIP() << "needs a kernel whose BTF can be mapped (Linux 6.16)";
    munmap(data, size);

    const auto before = status_kib("VmRSS");
    std::ofstream("/proc/self/clear_refs") << 5; // VmHWM counts from here on
    ASSERT_TRUE(KernelBtf::load());
    const auto peak = status_kib("VmHWM");
    ASSERT_GT(peak, before);
    EXPECT_LT((peak - before) * 1024, size + size / 2);
}

} // namespace
} // namespace tcpflight::test

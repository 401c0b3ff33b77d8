// The kernel's types without their second copy.
//
// libbpf before 1.6 reads the file into one buffer and copies it into another: the most memory that tcpflight ever
// takes, and half of it in vain. Since Linux 6.16 the file can be mapped (kernel/bpf/sysfs_btf.c). A public function of
// a shared library that calls it itself is called where the program defines it (ELF's interposition, as for malloc); a
// libbpf that is bound to its own, as with -Bsymbolic, goes on as without this.
#include "model/file_descriptor.h"

#include <bpf/btf.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace {

constexpr auto path = "/sys/kernel/btf/vmlinux";

// nullptr: they cannot be mapped.
btf *read_mapped()
{
    const tcpflight::FileDescriptor file(open(path, O_RDONLY | O_CLOEXEC)); // NOLINT(cppcoreguidelines-pro-type-vararg)
    struct stat status {};
    if (!file.is_open() || fstat(file.get(), &status) != 0 || status.st_size <= 0)
        return nullptr;
    const auto size = static_cast<std::size_t>(status.st_size);
    void *data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED)
        return nullptr;
    auto *types = btf__new(data, static_cast<__u32>(size));
    munmap(data, size);
    return types;
}

} // namespace

// Its errors are libbpf's: the way without mapping gives them.
extern "C" __attribute__((visibility("default"))) btf *btf__load_vmlinux_btf()
{
    if (auto *types = read_mapped(); types != nullptr)
        return types;
    using Load = btf *(*)();
    const auto load = reinterpret_cast<Load>(dlsym(RTLD_NEXT, "btf__load_vmlinux_btf"));
    return load != nullptr ? load() : nullptr;
}

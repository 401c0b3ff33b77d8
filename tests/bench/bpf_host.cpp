// bpf_host OBJECT: loads and attaches every program of a BPF object file, says so on stderr, and keeps them until
// SIGTERM or SIGINT. For the programs that other contestants are compared with.
#include <bpf/libbpf.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

namespace {

struct Close {
    void operator()(bpf_object *object) const { bpf_object__close(object); }
};
struct Destroy {
    void operator()(bpf_link *link) const { bpf_link__destroy(link); }
};

int fail(const char *what, const char *path)
{
    std::fprintf(stderr, "bpf_host: cannot %s %s: %s\n", what, path, std::strerror(errno));
    return 1;
}

int host(const char *path)
{
    std::unique_ptr<bpf_object, Close> object(bpf_object__open(path));
    if (!object)
        return fail("open", path);
    if (bpf_object__load(object.get()) != 0)
        return fail("load", path);
    std::vector<std::unique_ptr<bpf_link, Destroy>> links;
    bpf_program *program = nullptr;
    while ((program = bpf_object__next_program(object.get(), program)) != nullptr) {
        links.emplace_back(bpf_program__attach(program));
        if (!links.back())
            return fail("attach", bpf_program__name(program));
    }
    std::fprintf(stderr, "bpf_host: listening\n");
    sigset_t endings;
    sigemptyset(&endings);
    sigaddset(&endings, SIGTERM);
    sigaddset(&endings, SIGINT);
    int signal = 0;
    sigwait(&endings, &signal);
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: bpf_host OBJECT\n");
        return 2;
    }
    sigset_t endings;
    sigemptyset(&endings);
    sigaddset(&endings, SIGTERM);
    sigaddset(&endings, SIGINT);
    sigprocmask(SIG_BLOCK, &endings, nullptr);
    return host(argv[1]);
}

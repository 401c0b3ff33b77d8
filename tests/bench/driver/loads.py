"""The loads. Each returns a dict; "rate" is what is compared."""
import json
import re
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen
import time

LOAD_LIMIT_S = 120


class Loads:
    def __init__(self, build: Path):
        self.program = str(build / "tests/bench/load")

    def _run(self, *arguments):
        command = [self.program, "--here", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_LIMIT_S, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return json.loads(done.stdout)

    def churn(self, events, *options):
        result = self._run("churn", "--events", events, *options)
        return {**result, "rate": result["events_per_s"], "per_cpu_s": result["events"] / result["cpu_s"]}

    def paced(self, rate, seconds):
        result = self._run("paced", "--rate", rate, "--seconds", seconds)
        return {**result, "rate": result["events_per_s"]}

    @contextmanager
    def paced_in_background(self, rate, seconds):
        """All ended by reset: sockets in TIME_WAIT would be there too, more of them with each second."""
        command = [self.program, "--here", "paced", "--rate", str(rate), "--seconds", str(seconds),
                   "--reset-percent", "100"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.kill()

    @contextmanager
    def held(self, sockets):
        """So many established sockets, both ends counted."""
        if not sockets:
            yield
            return
        command = [self.program, "--here", "hold", "--sockets", str(sockets)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                if not process.stdout.readline().startswith("holding"):
                    raise RuntimeError(f"{sockets} sockets could not be opened")
                yield
            finally:
                process.terminate()


class Web:
    """nginx, and wrk that asks it and closes each connection."""

    PORT = 8080
    CONFIGURATION = """
        daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;
        events {{ worker_connections 1024; }}
        http {{
            access_log off; keepalive_timeout 0;
            client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir}; uwsgi_temp_path {dir};
            scgi_temp_path {dir};
            server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ return 200 "ok"; }} }}
        }}
    """

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="tcpflight-bench-")
        configuration = Path(self.directory.name) / "nginx.conf"
        configuration.write_text(self.CONFIGURATION.format(dir=self.directory.name, port=self.PORT))
        self.nginx = subprocess.Popen(["nginx", "-c", str(configuration)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                urlopen(f"http://127.0.0.1:{self.PORT}/", timeout=5).close()
                return self
            except URLError:
                if self.nginx.poll() is not None or time.monotonic() > deadline:
                    self.__exit__()
                    raise RuntimeError("nginx does not answer") from None
                time.sleep(0.02)

    def __exit__(self, *_):
        self.nginx.terminate()
        self.nginx.wait()
        self.directory.cleanup()

    def pids(self):
        return [self.nginx.pid]

    def run(self, seconds):
        command = ["wrk", "-t1", "-c32", f"-d{seconds}s", "--latency", "-H", "Connection: close",
                   f"http://127.0.0.1:{self.PORT}/"]
        text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LOAD_LIMIT_S).stdout
        return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
                "requests": int(re.search(r"(\d+) requests in", text).group(1))}

"""Receivers for check.py: real servers as processes or libraries, and stand-ins where the real one is not to be had."""

import base64
import collections
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate(folder):
    """An authority and a certificate for localhost, made by openssl."""
    run = lambda *arguments: subprocess.run(["openssl", *arguments], check=True, cwd=folder, capture_output=True)
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=harbourwatch test authority",
        "-keyout", "ca.key", "-out", "ca.pem", "-addext", "keyUsage=critical,keyCertSign",
        "-addext", "basicConstraints=critical,CA:TRUE")
    run("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    (folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
        "-extfile", "ext", "-out", "server.pem")


class MailServer:
    """aiosmtpd: offers STARTTLS, demands it before a password, and a password before a message; or `implicit`, as on port 465:
    encrypted from the first byte."""

    def __init__(self, folder, user, password, implicit=False):
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult

        self.messages, self.refuse, self.kept_one = [], 0, lambda: None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")

        def login(_server, _session, _envelope, mechanism, data):
            good = mechanism in ("PLAIN", "LOGIN") and (data.login, data.password) == (user.encode(), password.encode())
            return AuthResult(success=good, handled=not good)

        outer = self

        class Keep:
            async def handle_DATA(self, _server, session, envelope):
                if outer.refuse > 0:
                    outer.refuse -= 1
                    return "451 4.3.0 try again"
                assert implicit or session.ssl, "a message came in clear"
                assert session.authenticated, "a message came without a password"
                outer.messages.append((envelope.rcpt_tos, envelope.content))
                outer.kept_one()
                return "250 kept"

        self.port = free_port()
        how = {"ssl_context": context} if implicit else {"tls_context": context, "require_starttls": True}
        self.controller = Controller(Keep(), hostname="127.0.0.1", port=self.port, auth_required=True,
                                     auth_require_tls=not implicit, authenticator=login, decode_data=False, **how)
        self.controller.start()

    def stop(self):
        self.controller.stop()

    def parsed(self):
        return [(to, email.message_from_bytes(raw, policy=email.policy.default)) for to, raw in self.messages]


class Web:
    """An HTTP server; `faults` are ways in which it fails before it does its work, one a request."""

    def __init__(self, take, faults=()):
        self.faults, self.requests, self.kept_one = list(faults), 0, lambda: None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.requests += 1
                fault = outer.faults.pop(0) if outer.faults else None
                if fault == "500":
                    return self.answer(500, b"out of order")
                if fault == "429":
                    return self.answer(429, b"", {"Retry-After": "1"})
                if fault == "hang up":
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return None
                if fault == "stall":
                    # longer than the sender waits, and then nothing
                    time.sleep(4)
                    self.close_connection = True
                    return None
                status, answer = take(self.path, self.headers, body)
                outer.kept_one()
                if fault == "half":
                    # the work is done and the answer is cut: the sender must try again with the same id
                    self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")
                    self.close_connection = True
                    return None
                return self.answer(status, answer)

            def answer(self, status, body, headers=None):
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # a sender that is killed hangs up
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Hook:
    """Keeps what the verifier of the Standard Webhooks project lets through."""

    def __init__(self, secret, faults=()):
        from standardwebhooks import Webhook

        self.kept, self.refused, verifier = collections.defaultdict(list), 0, Webhook(secret)

        def take(_path, headers, body):
            try:
                verifier.verify(body.decode(), dict(headers.items()))
            except Exception:
                self.refused += 1
                return 400, b""
            self.kept[headers["webhook-id"]].append(body)
            return 204, b""

        self.web = Web(take, faults)


class Robot:
    """DingTalk's custom robot as documented: signature, clock, 20 messages a minute, 20,000 bytes, msgUuid."""

    MINUTE = 60

    def __init__(self, secret, most=20):
        self.kept, self.times, self.refused, self.shut_until = {}, [], collections.Counter(), 0

        def refuse(code):
            self.refused[code] += 1
            return 200, json.dumps({"errcode": code, "errmsg": "refused"}).encode()

        def take(path, headers, body):
            query = urllib.parse.parse_qs(urllib.parse.urlparse(path).query)
            stamp, now = query.get("timestamp", ["0"])[0], time.time()
            sign = base64.b64encode(hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest())
            if query.get("access_token") != ["token"]:
                return refuse(300005)
            if abs(int(stamp) / 1000 - now) > 3600 or query.get("sign", [""])[0] != sign.decode():
                return refuse(310000)
            if "application/json" not in headers.get("content-type", ""):
                return refuse(43004)
            self.times = [at for at in self.times if at > now - self.MINUTE]
            if now < self.shut_until or len(self.times) >= most:
                self.shut_until = max(self.shut_until, now + 600)
                return refuse(130101)
            if len(body) > 20_000:
                return refuse(460101)
            self.times.append(now)
            message = json.loads(body)
            assert message["msgtype"] == "markdown" and message["markdown"]["title"]
            self.kept.setdefault(message["msgUuid"], []).append(message)
            return 200, b'{"errcode":"0","errmsg":"ok"}'

        self.web = Web(take)

    def proves_itself(self):
        """What DingTalk would not take is not taken here: a stand-in that takes everything shows nothing."""
        def post(secret="SECprobe", token="token", size=10, kind="application/json"):
            stamp = str(int(time.time() * 1000))
            mac = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
            query = urllib.parse.urlencode({"access_token": token, "timestamp": stamp, "sign": base64.b64encode(mac)})
            body = {"msgtype": "markdown", "markdown": {"title": "t", "text": "x" * size}, "msgUuid": str(random.random())}
            request = urllib.request.Request(f"http://127.0.0.1:{self.web.port}/robot/send?{query}",
                                             json.dumps(body).encode(), {"content-type": kind})
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(json.load(answer)["errcode"])

        assert [post(secret="SECother"), post(token="x"), post(kind="text/plain"), post(size=20_001)] == [310000, 300005, 43004, 460101]
        assert [post() for _ in range(21)] == [0] * 20 + [130101] and post() == 130101
        self.web.stop()


class Splunk:
    """The HTTP Event Collector as documented: a token, JSON events one after another, nothing kept of a bad request."""

    def __init__(self, token, faults=()):
        self.kept = []

        def take(path, headers, body):
            if path != "/services/collector/event" or headers.get("authorization") != f"Splunk {token}":
                return 403, b'{"text":"Invalid token","code":4}'
            events, text, decoder = [], body.decode().strip(), json.JSONDecoder()
            while text:
                event, end = decoder.raw_decode(text)
                if not isinstance(event.get("event"), dict) or not isinstance(event.get("time"), (int, float)):
                    return 400, b'{"text":"Invalid data format","code":6}'
                events.append(event)
                text = text[end:].lstrip()
            self.kept.extend(events)
            return 200, b'{"text":"Success","code":0}'

        self.web = Web(take, faults)


class Elastic:
    """`_bulk` as documented: one answer an item; some items are turned away for now, one that is there is a conflict."""

    def __init__(self, key, faults=()):
        self.kept, self.turned_away = {}, 0
        dice = random.Random(7)

        def take(path, headers, body):
            if headers.get("authorization") != f"ApiKey {key}" or "/_bulk" not in path:
                return 401, b"{}"
            if headers.get("content-type") != "application/x-ndjson" or not body.endswith(b"\n"):
                return 400, b"{}"
            lines, items = body.decode().splitlines(), []
            for action, document in zip(lines[::2], lines[1::2], strict=True):
                uid, document = json.loads(action)["create"]["_id"], json.loads(document)
                if dice.random() < 0.2:
                    self.turned_away += 1
                    items.append({"create": {"status": 429, "error": {"type": "es_rejected_execution_exception"}}})
                elif uid in self.kept:
                    items.append({"create": {"status": 409, "error": {"type": "version_conflict_engine_exception"}}})
                else:
                    self.kept[uid] = document
                    items.append({"create": {"status": 201}})
            bad = any(item["create"]["status"] > 299 for item in items)
            return 200, json.dumps({"errors": bad, "items": items}).encode()

        self.web = Web(take, faults)


class Chat:
    """Slack or Teams: keeps what it is sent."""

    def __init__(self):
        self.kept = []

        def take(_path, _headers, body):
            self.kept.append(json.loads(body))
            return 200, b"ok"

        self.web = Web(take)


class Rsyslog:
    """rsyslogd with imtcp and TLS; writes each message as it came to a file."""

    def __init__(self, folder):
        self.port, self.plain_port, self.file = free_port(), free_port(), folder / "syslog.out"
        configuration = folder / "rsyslog.conf"
        configuration.write_text(f"""
global(workDirectory="{folder}" maxMessageSize="64k" defaultNetstreamDriverCAFile="{folder}/ca.pem"
       defaultNetstreamDriverCertFile="{folder}/server.pem" defaultNetstreamDriverKeyFile="{folder}/server.key")
module(load="imtcp")
template(name="whole" type="string" string="%rawmsg%\\n")
ruleset(name="keep") {{ action(type="omfile" file="{self.file}" template="whole") }}
input(type="imtcp" port="{self.port}" ruleset="keep" streamDriver.name="gtls" streamDriver.mode="1"
      streamDriver.authMode="anon")
input(type="imtcp" port="{self.plain_port}" ruleset="keep")
""")
        self.process = subprocess.Popen([shutil.which("rsyslogd", path=os.environ["PATH"] + ":/usr/sbin"), "-n", "-f",
                                         str(configuration), "-i", str(folder / "rsyslog.pid")],
                                        stdout=subprocess.DEVNULL, stderr=open(folder / "rsyslog.err", "wb"))
        wait_for_port(self.port)

    def lines(self):
        return self.file.read_text(errors="replace").splitlines() if self.file.exists() else []

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Alertmanager:
    """Prometheus Alertmanager, alone."""

    def __init__(self, folder):
        self.port = free_port()
        configuration = folder / "alertmanager.yml"
        configuration.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
        self.process = subprocess.Popen(
            [shutil.which("prometheus-alertmanager"), f"--config.file={configuration}",
             f"--storage.path={folder}/alertmanager", f"--web.listen-address=127.0.0.1:{self.port}",
             "--cluster.listen-address="], stdout=subprocess.DEVNULL, stderr=open(folder / "alertmanager.err", "wb"))
        wait_for_port(self.port)

    def alerts(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/alerts") as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def wait_for_port(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")

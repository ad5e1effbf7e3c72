"""Small programs of the standard library alone, to run outside: what they find they print as JSON."""

# host, then ports: which of them take a connection
CONNECT = """
import json, socket, sys
found = {}
for place in sys.argv[1:]:
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 3).close()
        found[place] = "open"
    except OSError as error:
        found[place] = type(error).__name__
print(json.dumps(found))
"""

_PINNED = """
import hashlib, http.client, json, socket, ssl, sys
host, port, pin, token = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
def connect():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    stream = context.wrap_socket(socket.create_connection((host, port), 10))
    shown = "sha256:" + hashlib.sha256(stream.getpeercert(binary_form=True)).hexdigest()
    assert shown == pin, shown
    stream.settimeout(240)
    return stream
def sent(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(host, port)
    connection.sock = connect()
    if token:
        headers["Authorization"] = "Bearer " + token
    connection.request(method, path, body, headers)
    return connection.getresponse()
"""

# path: status and text of a GET
GET = (
    _PINNED
    + """
answer = sent("GET", sys.argv[5])
print(json.dumps([answer.status, answer.read(2000).decode(errors="replace")]))
"""
)

# bytes: status of a PUT of so many bytes that nothing can compress, under a name that is their digest
UPLOAD = (
    _PINNED
    + """
import random
body = random.Random(7).randbytes(int(sys.argv[5]))
name = "_ray_pkg_" + hashlib.md5(body).hexdigest() + ".zip"
put = sent("PUT", "/api/packages/gcs/" + name, body)
text = put.read(300).decode(errors="replace")
there = sent("GET", "/api/packages/gcs/" + name)
print(json.dumps([put.status, text, there.status]))
"""
)

# submission id, words: follows the log of a job by websocket until the words have come, on one connection
FOLLOW = (
    _PINNED
    + """
import base64, os, time
stream = connect()
key = base64.b64encode(os.urandom(16)).decode()
stream.sendall((
    f"GET /api/jobs/{sys.argv[5]}/logs/tail HTTP/1.1\\r\\nHost: {host}\\r\\n"
    f"Connection: Upgrade\\r\\nUpgrade: websocket\\r\\n"
    f"Sec-WebSocket-Key: {key}\\r\\nSec-WebSocket-Version: 13\\r\\nAuthorization: Bearer {token}\\r\\n\\r\\n"
).encode())
reader = stream.makefile("rb")
status = reader.readline().decode().split()[1]
while reader.readline() not in (b"\\r\\n", b""):
    pass
text, quiet, last = "", 0.0, time.monotonic()
while status == "101" and sys.argv[6] not in text:
    head = reader.read(2)
    if len(head) < 2:
        break
    size = head[1] & 127
    if size > 125:
        size = int.from_bytes(reader.read(2 if size == 126 else 8), "big")
    payload = reader.read(size)
    if head[0] & 15 == 8:
        break
    if head[0] & 15 in (1, 2):
        quiet, last = max(quiet, time.monotonic() - last), time.monotonic()
        text += payload.decode(errors="replace")
print(json.dumps({"status": status, "text": text, "quiet": quiet}))
"""
)

# path, words: reads a reply until the words have come, on one connection
STREAM = (
    _PINNED
    + """
import time
answer = sent("GET", sys.argv[5])
text, quiet, last = "", 0.0, time.monotonic()
while sys.argv[6] not in text:
    chunk = answer.read1(65536)
    if not chunk:
        break
    quiet, last = max(quiet, time.monotonic() - last), time.monotonic()
    text += chunk.decode(errors="replace")
print(json.dumps({"status": str(answer.status), "text": text, "quiet": quiet}))
"""
)

#!/usr/bin/python3 -I
"""Makes a call of EC2, for move-address, where curl cannot sign with the credentials of a role. Managed by haproxy-fleet.

call-ec2 CONNECT ANSWER REGION URL NAME=VALUE...: standard input has the key's id, the secret and the token, a line each. CONNECT and ANSWER
are the seconds that a connection and an answer may take. Prints the answer, and its status in the last line, as curl does there.
"""
import sys
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

connect, answer, region, url, *form = sys.argv[1:]
credentials = Credentials(*sys.stdin.read().split())
request = AWSRequest(
    "POST",
    url,
    data=urlencode([tuple(pair.split("=", 1)) for pair in form]),
    headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
)
SigV4Auth(credentials, "ec2", region).add_auth(request)
try:
    response = URLLib3Session(timeout=(int(connect), int(answer))).send(request.prepare())
except Exception as error:
    sys.exit(" ".join(str(error).split()))
print(response.text, response.status_code, sep="\n")

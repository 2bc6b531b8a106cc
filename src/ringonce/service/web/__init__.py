"""The service's web door: an HTTP API for programs, and what watches the service.

server        the application on a socket
└── app       every door, behind the doorkeeper
    ├── doorkeeper   host, token, pace; roles
    ├── calls        taking calls in, and looking at them
    │   └── asking   from a body to a call that can be taken in
    ├── steering     what a person does to a call
    ├── events       what happens, as it happens
    │   └── tail     one look at the feed for all who follow it
    ├── administering   kill switch, tokens, audit, agents, checks
    ├── watching     health, readiness, metrics, the API's document
    │   ├── health
    │   └── document
    ├── desk         what all of them share
    ├── bodies       what goes in and out
    └── problems     errors, as RFC 9457 tells them
"""

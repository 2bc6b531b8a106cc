"""The service's web door: an HTTP API for programs, a page for people, and what watches the service.

server        the application on a socket
└── app       every door, behind the doorkeeper
    ├── doorkeeper   host, token, pace; roles
    │   ├── session  a person's cookie in place of a token
    │   └── pace
    ├── page         what people look at: static files
    ├── calls        taking calls in, and looking at them
    │   └── asking   from a body to a call that can be taken in
    ├── steering     what a person does to a call
    ├── live         what goes on now, agents, what a number is
    ├── events       what happens, as it happens
    │   └── tail     one look at the feed for all who follow it
    ├── administering   kill switch, tokens, audit, checks
    ├── lists        do-not-call lists
    ├── watching     health, readiness, metrics, the API's document
    │   ├── health
    │   └── document   drawn from the doors, with their examples
    ├── desk         what all of them share
    ├── bodies       what goes in and out
    └── problems     errors, as RFC 9457 tells them
"""

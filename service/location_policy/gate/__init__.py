"""A push, judged: pre-receive, post-receive and proc-receive, and the hooks that run them."""

"""What tests share: real repositories, the real program, a real server."""

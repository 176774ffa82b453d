"""The loop that keeps a platform where the declarations say: wake, pass, publish, back off, resync, stop."""

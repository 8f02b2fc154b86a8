"""Services outside this machine: what SplazMatte tells them and hands them."""

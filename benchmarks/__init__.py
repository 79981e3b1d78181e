"""What training costs with Elegy, next to loops written by hand and to other libraries; see README.md."""

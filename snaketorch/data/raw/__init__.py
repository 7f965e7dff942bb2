"""What a source gives, one module a kind of content: samples as they came, checked, before anything is done to them."""

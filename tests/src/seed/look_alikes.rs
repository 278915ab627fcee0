//! Files of the same places in which nothing is a credential, however much it looks like one.

use super::Base::{self, Home, Project};

/// Where, path, content.
pub const LOOK_ALIKES: &[(Base, &str, &str)] = &[
    (
        Home,
        ".claude-clean/settings.json",
        "{\"env\":{\"ANTHROPIC_API_KEY\":\"${ANTHROPIC_API_KEY}\",\"ANTHROPIC_AUTH_TOKEN\":\"ssh-placeholder\",\"ANTHROPIC_MODEL\":\"claude-opus-4-5-20251101\",\"ANTHROPIC_BASE_URL\":\"https://gateway.example/v1/0123456789\",\"ANTHROPIC_CUSTOM_HEADERS\":\"X-Team: blue-0123456789\"},\"apiKeyHelper\":\"\",\"permissions\":{\"allow\":[\"Bash(echo sk-ant-...)\"]}}",
    ),
    (
        Home,
        ".claude-clean/.credentials.json",
        "{\"mcpOAuth\":{\"x\":{\"serverName\":\"linear\",\"serverUrl\":\"https://mcp.linear.app/sse-0123456789\",\"clientId\":\"client-0123456789abcdef\",\"expiresAt\":1764000000000,\"accessToken\":\"\"}}}",
    ),
    (
        Home,
        ".claude-clean/.claude.json",
        "{\"oauthAccount\":{\"accountUuid\":\"0a1b2c3d-0000-1111-2222-333344445555\",\"emailAddress\":\"jane@example.com\"},\"userID\":\"0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9\",\"machineID\":\"0123456789abcdef0123456789abcdef\",\"customApiKeyResponses\":{\"approved\":[],\"rejected\":[]},\"mcpServers\":{\"x\":{\"env\":{\"GITHUB_TOKEN\":\"${GITHUB_TOKEN}\",\"NODE_PATH\":\"/usr/lib/node_modules/0123456789\",\"PUBLIC_KEY\":\"ssh-ed25519-0123456789abcdef\",\"API_KEY\":\"your-api-key-here\"},\"headers\":{\"X-Request-Source\":\"claude-code-0123456789\",\"Authorization\":\"Bearer ${TOKEN}\"}}},\"primaryApiKey\":\"\"}",
    ),
    (
        Home,
        ".claude-clean/projects/x/1.jsonl",
        "{\"message\":\"set ANTHROPIC_API_KEY=sk-ant-api03-... in your shell\"}\n{\"message\":\"a key looks like sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxAA\"}\n{\"message\":\"masked: sk-ant-api03-R2D…igAA, sk-ant-oat01-abcd***********wxyz\"}\n{\"message\":\"if key.startswith('sk-ant-'): and re.match(r'sk-ant-(api|oat)\\\\d{2}-[A-Za-z0-9_-]{80,}', key)\"}\n",
    ),
    (
        Home,
        ".claude-clean/projects/x/2.jsonl",
        "{\"message\":\"task-ant-api03-colony-simulation-with-pheromone-trails-2026 and risk-ant-oat01-farming-in-the-winter-months-abcdef\"}\n{\"sha\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\",\"jwt\":\"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl\",\"id\":\"msg_01AbCdEfGhIjKlMnOpQrStUv\",\"req\":\"req_011CabcdefghijklmnopqrSt\",\"openai\":\"sk-proj-abcdefghijklmnopqrstuvwxyz0123456789\"}\n",
    ),
    (
        Home,
        ".bash_logout",
        "unset ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN\n[ -n \"$ANTHROPIC_API_KEY\" ] && echo set\n",
    ),
    (
        Home,
        ".bashrc.d/claude",
        "export ANTHROPIC_API_KEY=\"$(pass show anthropic/key)\"\nexport ANTHROPIC_AUTH_TOKEN=`secret-tool lookup a b`\nANTHROPIC_API_KEY=\"$OTHER_NAME_OF_THE_SAME_KEY\" claude\nexport ANTHROPIC_API_KEY=<your-api-key>\nexport ANTHROPIC_API_KEY=your_api_key_here\nexport ANTHROPIC_API_KEY=\nexport ANTHROPIC_AUTH_TOKEN=ollama\nexport ANTHROPIC_AUTH_TOKEN=dummy\nexport ANTHROPIC_MODEL=claude-sonnet-4-5-20250929\nexport ANTHROPIC_API_KEY_FILE_NAME=/home/jane/keys/anthropic\nMY_ANTHROPIC_API_KEY_COUNT=12345678901\n",
    ),
    (
        Home,
        ".zprofile",
        "# export ANTHROPIC_API_KEY=sk-ant-...\n# ANTHROPIC_AUTH_TOKEN=whatever-the-gateway-says\nexport ANTHROPIC_API_KEY=op://Private/Anthropic/credential\nexport ANTHROPIC_API_KEY=${1:-$(cat /run/secrets/anthropic)}\nif [[ $ANTHROPIC_API_KEY == sk-ant-* ]]; then :; fi\n",
    ),
    (
        Home,
        ".config/fish/conf.d/clean.fish",
        "set -e ANTHROPIC_API_KEY\nset -q ANTHROPIC_API_KEY; or echo no key\nset -gx ANTHROPIC_API_KEY (cat ~/.keys/none)\nset -gx ANTHROPIC_AUTH_TOKEN $GATEWAY_TOKEN\n",
    ),
    (
        Home,
        ".config/nushell/config.nu",
        "$env.ANTHROPIC_API_KEY = (open ~/.keys/none)\nhide-env ANTHROPIC_API_KEY\nif $env.ANTHROPIC_API_KEY == \"0123456789abc\" { }\n",
    ),
    (
        Home,
        "Documents/PowerShell/clean.ps1",
        "Remove-Item Env:ANTHROPIC_API_KEY\r\n$env:ANTHROPIC_API_KEY = (Get-Secret anthropic)\r\nif ($env:ANTHROPIC_API_KEY -eq '0123456789abcdef') { }\r\n",
    ),
    (
        Home,
        ".config/environment.d/20-path.conf",
        "PATH=${HOME}/bin:${PATH}\nANTHROPIC_API_KEY=${KEY_FROM_ELSEWHERE}\n",
    ),
    (
        Home,
        ".gitconfig-clean",
        "[user]\n\tname = Jane\n\temail = jane@example.com\n\tsigningkey = 0123456789ABCDEF\n[credential]\n\thelper = store\n",
    ),
    (
        Home,
        ".authinfo",
        "machine smtp.example.com login jane password correct-horse-battery\nmachine notanthropic.com.example login x password 0123456789abcdef\n",
    ),
    (Home, ".config/git/ignore", "*.anthropic\nsk-ant-*\n"),
    (
        Home,
        ".ssh/id_ed25519",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n-----END OPENSSH PRIVATE KEY-----\n",
    ),
    (
        Home,
        ".aws/credentials",
        "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    ),
    (
        Home,
        ".local/share/opencode/storage/auth.json",
        "{\"openai\":{\"type\":\"api\",\"key\":\"sk-proj-0123456789abcdefghij\"}}",
    ),
    (
        Home,
        ".config/VSCodium/User/settings.json",
        "{\"terminal.integrated.env.linux\":{\"ANTHROPIC_API_KEY\":\"${env:ANTHROPIC_API_KEY}\",\"GITHUB_TOKEN\":\"gho_0123456789abcdefghij\"},\"editor.tokenColorCustomizations\":{\"comments\":\"#0123456789\"},\"claude.apiKey\":\"\"}",
    ),
    (
        Home,
        ".gemini/settings.json",
        "{\"mcpServers\":{\"x\":{\"env\":{\"API_TOKEN\":\"$API_TOKEN\",\"LOG_LEVEL\":\"debug-0123456789\"}}},\"security\":{\"auth\":{\"selectedType\":\"oauth-personal\"}}}",
    ),
    (
        Home,
        ".config/goose/config.yaml",
        "GOOSE_PROVIDER: anthropic\nGOOSE_MODEL: claude-sonnet-4-5\nANTHROPIC_HOST: https://api.anthropic.com\nANTHROPIC_API_KEY: null\n",
    ),
    (
        Home,
        ".config/aichat/config.yaml",
        "clients:\n- type: claude\n  api_key: null\n  name: claude-0123456789\n",
    ),
    (
        Home,
        ".zsh_sessions/clean.history",
        "git log --grep sk-ant-\necho $ANTHROPIC_API_KEY | wc -c\nunset ANTHROPIC_API_KEY\nclaude setup-token\n",
    ),
    (Home, ".sqlite_history", "select * from tokens where token like 'sk-ant-%';\n"),
    (
        Home,
        ".emacs",
        "(setenv \"ANTHROPIC_API_KEY\" (auth-source-pick-first-password :host \"api.anthropic.com\"))\n(setq gptel-api-key #'gptel-api-key-from-auth-source)\n",
    ),
    (
        Home,
        ".config/nvim/init.lua",
        "local key = os.getenv(\"ANTHROPIC_API_KEY\")\nvim.env.ANTHROPIC_API_KEY = vim.fn.system(\"pass show x\"):gsub(\"\\n\", \"\") or \"\"\n",
    ),
    (
        Home,
        ".mozilla/firefox/cd34.default/cookies.sqlite",
        "SQLite format 3\u{0}\u{7f}claude.aisessionKey\u{0}deleted\u{0}sk-ant-sid01-\u{0}",
    ),
    (
        Project,
        ".env.example",
        "ANTHROPIC_API_KEY=sk-ant-api03-your-key-here\nANTHROPIC_AUTH_TOKEN=\nCLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-...\nOPENAI_API_KEY=sk-0123456789abcdef\n",
    ),
    (
        Project,
        ".env.template",
        "ANTHROPIC_API_KEY={{ anthropic_api_key }}\nANTHROPIC_AUTH_TOKEN=%GATEWAY_TOKEN%\n",
    ),
    (
        Project,
        ".github/workflows/claude.yml",
        "jobs:\n  claude:\n    steps:\n      - uses: anthropics/claude-code-action@v1\n        with:\n          anthropic_api_key: ${{ secrets.ANTHROPIC_API_KEY }}\n        env:\n          ANTHROPIC_API_KEY: ${{ secrets.ANTHROPIC_API_KEY }}\n          CLAUDE_CODE_OAUTH_TOKEN: \"${{ secrets.CLAUDE_CODE_OAUTH_TOKEN }}\"\n      - run: test -n \"$ANTHROPIC_API_KEY\"\n",
    ),
    (
        Project,
        ".gitlab/claude.yml",
        "variables:\n  ANTHROPIC_API_KEY:\n    description: the key, from the project's settings\n  ANTHROPIC_AUTH_TOKEN: $GATEWAY\n",
    ),
    (
        Project,
        "compose.yaml",
        "services:\n  a:\n    environment:\n      ANTHROPIC_API_KEY: ${ANTHROPIC_API_KEY:?missing}\n      - ANTHROPIC_AUTH_TOKEN\n    secrets:\n      - anthropic_api_key\n",
    ),
    (
        Project,
        "Containerfile",
        "ARG ANTHROPIC_API_KEY\nENV ANTHROPIC_API_KEY=$ANTHROPIC_API_KEY\nRUN --mount=type=secret,id=ANTHROPIC_API_KEY true\n",
    ),
    (
        Project,
        "scripts/check.sh",
        "#!/bin/sh\n: \"${ANTHROPIC_API_KEY:?set it first}\"\ncase $ANTHROPIC_API_KEY in sk-ant-api03-*) ;; *) exit 1 ;; esac\ncurl -H \"x-api-key: $ANTHROPIC_API_KEY\" https://api.anthropic.com/v1/models\nread -rs ANTHROPIC_API_KEY && export ANTHROPIC_API_KEY\n",
    ),
    (
        Project,
        "pyproject.toml",
        "[tool.pytest.ini_options]\nenv = [\"ANTHROPIC_API_KEY=test-key\"]\n[project]\nname = \"sk-ant-detector\"\n",
    ),
    (
        Project,
        "tox.ini",
        "[testenv]\npassenv = ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN_OF_CI\nsetenv =\n  ANTHROPIC_API_KEY = {env:ANTHROPIC_API_KEY:}\n",
    ),
    (
        Project,
        "package.json",
        "{\"scripts\":{\"start\":\"ANTHROPIC_API_KEY=$KEY node index.js\"},\"dependencies\":{\"@anthropic-ai/sdk\":\"^1.12.0\"}}",
    ),
    (
        Project,
        ".vscode/settings.json",
        "{\"terminal.integrated.env.linux\":{\"ANTHROPIC_API_KEY\":\"${env:KEY}\"}}",
    ),
    (
        Project,
        "CLAUDE.md",
        "# Keys\nPut your key into `.env`: `ANTHROPIC_API_KEY=sk-ant-api03-<93 characters>`. Never commit `sk-ant-api03-abc...`.\n",
    ),
    (Project, "Jenkinsfile", "environment { ANTHROPIC_API_KEY = credentials('anthropic-api-key') }\n"),
];
